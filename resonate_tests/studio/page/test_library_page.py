"""The library page in a real browser: files dropped, jobs watched, tracks found, room made."""

from __future__ import annotations

import json
import re
import time
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from resonate_studio.api.models import Rejected
from resonate_tests.studio.page.conftest import SOURCES
from resonate_tests.studio.page.stand_in import StandIn, many, running, summary

AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"


def opened(page: Page, studio: StandIn, path: str = "/") -> None:
    """The page is there, and its event stream is."""
    page.goto(studio.address + path)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    deadline = time.monotonic() + 20
    while studio.listening == 0:
        assert time.monotonic() < deadline, "the page did not ask for events"
        time.sleep(0.02)


def titles(page: Page) -> list[str]:
    return page.locator(".title-link").all_inner_texts()


def test_of_ten_thousand_tracks_those_in_sight_are_drawn_the_worst_on_top(
    page: Page, studio: StandIn
) -> None:
    studio.tracks = many(10_000)
    opened(page, studio)
    expect(page.locator(".toolbar-total")).to_have_text("10,000 tracks")
    rows = page.locator("[data-index]")
    expect(rows.first).to_contain_text("Failed")
    assert rows.count() < 60
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("[data-index='9999']")).to_contain_text(re.compile(r"Song \d{5}"))
    assert rows.count() < 60
    assert page.get_by_role("table").get_attribute("aria-rowcount") == "10001"


def test_each_keystroke_narrows_the_list_down(page: Page, studio: StandIn) -> None:
    studio.tracks = many(10_000)
    opened(page, studio)
    page.keyboard.press("/")
    expect(page.get_by_label("Search tracks")).to_be_focused()
    for typed, left in (("song 0123", "11 tracks"), ("4", "1 track")):  # 00123 and 01230 to 01239
        page.keyboard.type(typed)
        expect(page.locator(".toolbar-total")).to_have_text(left)
    expect(page.locator(".title-link")).to_have_text(["Song 01234"])
    assert "search=song+01234" in page.url
    page.get_by_label("Search tracks").fill("no such song")
    page.get_by_role("button", name="Show all tracks").click()
    expect(page.locator(".toolbar-total")).to_have_text("10,000 tracks")
    expect(page.get_by_label("Search tracks")).to_have_value("")


def test_states_filter_with_their_counts_and_columns_sort_both_ways(page: Page, studio: StandIn) -> None:
    studio.tracks = many(200)
    opened(page, studio)
    failed = page.get_by_role("button", name=re.compile("^Failed"))
    expect(failed).to_have_text(re.compile(r"Failed\s+3"))  # of tracks 0, 10, 20 … each ninth
    failed.click()
    expect(page.locator(".title-link")).to_have_text(["Song 00000", "Song 00090", "Song 00180"])
    failed.click()
    page.get_by_role("button", name="BPM").click()
    expect(page.locator("[data-index='0']")).to_contain_text("60 BPM")
    page.get_by_role("button", name="BPM").click()
    expect(page.locator("[data-index='0']")).to_contain_text("179 BPM")
    expect(page.get_by_role("columnheader", name="BPM")).to_have_attribute("aria-sort", "descending")
    page.reload()
    expect(page.locator("[data-index='0']")).to_contain_text("179 BPM")


def test_titles_are_text_whatever_they_hold(page: Page, studio: StandIn) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    studio.tracks = [
        summary("evil", evil, artist=evil, state="failed", accepted=None, score=None, reason=evil)
    ]
    studio.rejected = [Rejected(name=evil, reason=evil, at="2026-11-26T10:00:00+00:00")]
    opened(page, studio)
    studio.job(evil, "evil", status="failed", reason=evil)
    expect(page.get_by_role("region", name="Queue")).to_contain_text(evil)
    expect(page.locator(".title-link")).to_have_text([evil])  # drawn when it has come
    page.get_by_text("Files that can't be used").click()
    assert page.locator("img[src='x'], script:not([src])").count() == 0
    assert page.title() == "Library – Resonate"


def test_chosen_files_go_up_and_what_cannot_be_used_is_told_in_a_line_each(
    page: Page, studio: StandIn
) -> None:
    studio.refusals = {
        "list.mp3": (415, "list.mp3 is text, no recording."),
        "huge.wav": (413, "huge.wav is over 4 GiB."),
    }
    opened(page, studio)
    page.get_by_label("How far to go").select_option("Aggressive")
    named = ("song.wav", "list.mp3", "huge.wav", "empty.wav")
    page.get_by_test_id("files").set_input_files(
        [
            {"name": name, "mimeType": "audio/wav", "buffer": b"" if name == "empty.wav" else b"RIFF" * 1000}
            for name in named
        ]
    )
    uploads = page.get_by_role("region", name="3 of 4 files can't be used")
    for line in ("list.mp3 is text, no recording.", "huge.wav is over 4 GiB.", "It is empty."):
        expect(uploads.get_by_text(line)).to_be_visible()
    expect(uploads.get_by_role("link", name="song.wav")).to_have_attribute("href", "/tracks/song-wav")
    expect(page.get_by_role("region", name="Queue")).to_contain_text("next in the queue, about 2 min")
    assert studio.asked.count("POST /api/v1/jobs") == 3
    assert all(
        json.loads(brief or "")
        == {stage: {"preset": "aggressive"} for stage in ("restoration", "mixing", "mastering")}
        for brief in studio.briefs
    )
    uploads.get_by_role("button", name="Clear list").click()
    expect(uploads).to_be_hidden()
    page.reload()
    expect(page.get_by_label("How far to go")).to_have_value("aggressive")  # remembered


def test_a_file_dropped_anywhere_is_taken(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    dropped = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['RIFF'], 'dropped.wav')); return data; }"
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": dropped})
    expect(page.get_by_role("heading", name="Let go to add them")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(page.get_by_role("link", name="dropped.wav").first).to_be_visible()
    expect(page.get_by_role("heading", name="Drop recordings here")).to_be_visible()
    assert studio.briefs == [None]


def test_jobs_move_as_events_tell_and_can_be_cancelled_and_asked_for_again(
    page: Page, studio: StandIn
) -> None:
    studio.tracks = [summary("night", "Night", state="running", accepted=None, score=None)]
    opened(page, studio)
    queue = page.get_by_role("region", name="Queue")
    night = uuid4()
    studio.job("Night", "night", night, progress=0.25, stage="stems", expected_seconds=120)
    expect(queue).to_contain_text("stems, 25 %, about 2 min left")
    expect(page.locator("[data-index='0']")).to_contain_text("stems, 25 %")
    studio.job("Night", "night", night, progress=0.75, stage="master", expected_seconds=20)
    expect(queue.get_by_role("progressbar")).to_have_attribute("value", "0.75")
    queue.get_by_role("button", name="Cancel Night").click()
    expect(queue).to_contain_text("Stopped")
    expect(page.locator("[aria-live='polite']")).to_contain_text("Night is being stopped")
    studio.job("Night", "night", night, status="failed", reason="the disk is full: free 2 GB, then retry")
    expect(queue).to_contain_text("Failed: the disk is full: free 2 GB, then retry")
    expect(page.locator("[aria-live='polite']")).to_contain_text("Night failed: the disk is full")
    queue.get_by_role("button", name="Retry Night").click()
    expect(queue).to_contain_text("next in the queue")
    assert [one.rpartition("/")[2] for one in studio.asked] == ["cancel", "retry"]


def test_the_page_says_when_nobody_answers_and_goes_on_with_what_happened_meanwhile(page: Page) -> None:
    studio = StandIn(tracks=[summary("night", "Night", state="running", accepted=None, score=None)])
    with running(studio):
        port = int(studio.address.rpartition(":")[2])
        opened(page, studio)
        job = studio.job("Night", "night", progress=0.5, stage="stems")
        expect(page.locator("[data-index='0']")).to_contain_text("stems, 50 %")
    expect(page.get_by_text("No connection, trying again")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Resonate does not answer. Your tracks are safe")
    expect(page.get_by_role("region", name="Queue")).not_to_contain_text("Nothing to do")
    page.get_by_role("combobox", name="Order").select_option("Title")  # a question that nobody answers
    page.wait_for_timeout(9000)  # as long as it is asked again and again
    expect(page.locator(".title-link")).to_have_text(["Night"])
    expect(page.get_by_role("button", name=re.compile("^All"))).to_have_text(re.compile(r"All\s+1"))
    studio.tracks = [summary("night", "Night")]
    studio.jobs[job.job_id] = job.model_copy(update={"status": "completed"})
    with running(studio, port):
        expect(page.get_by_text("No connection, trying again")).to_be_hidden(timeout=30_000)
        expect(page.locator("[data-index='0']")).to_contain_text("Done")
        expect(page.get_by_role("region", name="Queue")).to_contain_text("Nothing to do")


def test_a_track_goes_only_once_it_is_said_twice(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary("keep", "Keep"), summary("lose", "Lose")]
    opened(page, studio)
    page.get_by_role("button", name="Remove Lose").click()
    asked = page.get_by_role("dialog", name="Remove “Lose”?")
    expect(asked.get_by_role("button", name="Keep it")).to_be_focused()
    expect(asked).to_contain_text("Your own file and the folder with its exports stay.")
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(page.get_by_role("button", name="Remove Lose")).to_be_focused()
    assert studio.removed == []
    page.get_by_role("button", name="Remove Lose").click()
    asked.get_by_label("Keep the folder with its exports").uncheck()
    expect(asked).to_contain_text("and the folder with its exports. Your own file stays.")
    asked.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".title-link")).to_have_text(["Keep"])
    assert studio.removed == [("lose", False)]
    expect(page.get_by_role("link", name="Keep")).to_be_focused()


def test_engines_that_are_not_installed_are_told_until_it_is_enough(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary("night", "Night")]
    studio.left_out = ["demucs htdemucs", "lalal"]
    opened(page, studio)
    told = page.get_by_role("region", name="Better separation")
    expect(told).to_contain_text("not installed here: demucs htdemucs, lalal.")
    told.get_by_role("button", name="Don’t show again").click()
    expect(told).to_be_hidden()
    page.reload()
    expect(page.get_by_role("link", name="Night")).to_be_visible()
    expect(told).to_be_hidden()


def test_keys_are_printed_with_sharps_and_flats_and_read_out_as_words(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary("sharp", "Sharp", key="F# minor"), summary("flat", "Flat", key="Bb major")]
    opened(page, studio, "/?sort=title")
    expect(page.locator(".cell-key [aria-hidden]")).to_have_text(["B♭ major", "F♯ minor"])
    expect(page.get_by_role("cell", name="F sharp minor")).to_be_visible()
    page.get_by_label("Search tracks").fill("F♯")
    expect(page.locator(".title-link")).to_have_text(["Sharp"])


def test_what_is_no_verdict_does_not_look_like_one(page: Page, studio: StandIn) -> None:
    studio.tracks = [
        summary("night", "Night", state="not accepted", accepted=False, score=99.6, tempo_bpm=None)
    ]
    opened(page, studio)
    row = page.locator("[data-index='0']")
    expect(row).to_contain_text("like the original: 100 of 100")
    page.set_viewport_size({"width": 360, "height": 800})
    expect(row.locator(".cell-tempo")).to_have_text("–")  # of no unit


@pytest.mark.parametrize("width", [360, 1280])
def test_the_list_comes_before_queue_and_disk_space_for_eye_and_keyboard(
    page: Page, studio: StandIn, width: int
) -> None:
    studio.tracks = [summary("night", "Night")]
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, studio)
    expect(page.get_by_role("link", name="Night")).to_be_visible()
    places = {
        name: page.evaluate(
            "selector => [...document.querySelectorAll('*')].indexOf(document.querySelector(selector))",
            selector,
        )
        for name, selector in (("list", ".title-link"), ("queue", "#queue-title"), ("drop", "#drop-title"))
    }
    assert places["list"] < places["queue"]
    assert (places["drop"] < places["list"]) == (width == 360)
    if width == 360:
        tops = [
            page.locator(selector).first.bounding_box()["y"]  # type: ignore[index]
            for selector in ("#drop-title", ".title-link", "#queue-title")
        ]
        assert tops == sorted(tops)


def test_room_is_counted_and_made_by_age(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    page.get_by_text("Disk space").click()
    expect(page.get_by_role("row", name=re.compile("Together"))).to_have_text(
        re.compile(r"3\.0 GB\s*1\.5 GB")
    )
    ages = page.get_by_label("Remove earlier results")
    ages.select_option("over half a year old")
    expect(page.get_by_role("button", name="Nothing to remove")).to_be_disabled()
    ages.select_option("over a month old")
    page.get_by_role("button", name="Free 310 MB…").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("310 MB are freed: earlier results over a month old go for good.")
    box = asked.bounding_box()
    assert box is not None and abs(box["y"] + box["height"] / 2 - 430) < 2  # in the middle of the window
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(
        page.locator("p", has_text="12 results removed, 1.5 GB freed; 1 track passed over")
    ).to_be_visible()
    assert studio.cleared == [30.0]


def test_arrows_go_from_track_to_track_and_beyond_what_is_in_sight(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary(f"song-{at:03d}", f"Song {at:03d}") for at in range(300)]
    opened(page, studio, "/?sort=title")
    page.get_by_role("link", name="Song 000").focus()
    for number in (1, 2, 3):
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("link", name=f"Song {number:03d}")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="Song 299")).to_be_focused()
    expect(page.get_by_role("link", name="Song 299")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.get_by_role("link", name="Song 000")).to_be_focused()


def test_back_from_a_track_the_list_is_where_it_was(page: Page, studio: StandIn) -> None:
    studio.tracks = many(2_000)
    opened(page, studio, "/?sort=title")
    expect(page.locator("[data-index='0'] .title-link")).to_be_visible()  # there is a list to go down in
    page.evaluate("scrollTo(0, 60000)")
    link = page.locator("[data-index='940'] .title-link")
    link.click()
    expect(page).to_have_url(re.compile("/tracks/"))
    page.go_back()
    expect(link).to_be_in_viewport()


def test_a_theme_that_was_chosen_is_there_from_the_first_paint_on(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    toggle = page.get_by_role("button", name=re.compile("^Theme"))
    toggle.click()
    toggle.click()
    expect(toggle).to_have_accessible_name("Theme: dark. Change to system")
    page.route("**/assets/**", lambda route: route.abort())  # without the page's own script
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") in ("dark", "normal")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("width", [360, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_amiss_and_nothing_sticks_out(
    browser: Browser, studio: StandIn, theme: str, width: int
) -> None:
    studio.tracks = many(120)
    studio.rejected = [
        Rejected(name="x" * 200 + ".mp3", reason="It is text.", at="2026-11-26T10:00:00+00:00")
    ]
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)  # type: ignore[arg-type]
    opened(page, studio)
    studio.job("Night " * 30, "song-00001", progress=0.5, stage="stems", expected_seconds=100)
    studio.job("Broken", "song-00002", status="failed", reason="the disk is full")
    expect(page.get_by_text("Failed: the disk is full", exact=True)).to_be_visible()
    page.get_by_text("Files that can't be used").click()
    page.get_by_text("Disk space").click()
    expect(page.get_by_role("row", name=re.compile("Together"))).to_be_visible()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
