"""The page before the real job API, on one home: a recording dropped, watched to its end, heard, compared, mixed,
judged blind, mastered anew, taken away and removed; in two browsers, and with the server killed meanwhile.

In one file, whose tests run in one process: a server's start and a track's processing are paid for once.
"""

from __future__ import annotations

import csv
import io
import math
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, Download, Locator, Page, expect, sync_playwright

from resonate_tests.e2e.conftest import CLIP_SECONDS
from resonate_tests.e2e.studio_page import (
    LOADED_IN_MS,
    Studio,
    opened,
    position,
    tab,
    version,
    wait_for_position,
    wait_until_painted,
)
from resonate_tests.e2e.test_web_ui import CHROMIUM_FLAGS, SAMPLE_RATE
from resonate_tests.peer_encoders import Floats, encode_with_ffmpeg
from resonate_tests.programs import required
from resonate_tests.studio.page.conftest import built

__all__ = ["built"]
PROCESSED_IN_MS = 600_000


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("studio") / "home"
    home.mkdir()
    studio = Studio(home, free_port)
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory, clips: list[Floats]) -> Path:
    path = tmp_path_factory.mktemp("dropped") / "song.mp3"
    encode_with_ffmpeg(path, clips[0], SAMPLE_RATE, "libmp3lame")
    return path


@pytest.fixture(scope="module")
def browser(built: None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"), headless=True, args=CHROMIUM_FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture
def track(studio: Studio, browser: Browser, song: Path) -> str:
    """The key of the one that is there, with all that is made of it; dropped, where nothing was yet."""
    studio.start()
    if not studio.ask("tracks")["tracks"]:
        page = opened(browser, studio)
        page.get_by_test_id("files").set_input_files(song)
        expect(page.locator("[data-index='0']")).to_be_visible(timeout=LOADED_IN_MS)
        page.close()
    deadline = time.monotonic() + PROCESSED_IN_MS / 1000
    while (found := studio.ask("tracks")["tracks"][0])["state"] not in ("done", "not accepted"):
        assert found["state"] != "failed" and time.monotonic() < deadline, found
        time.sleep(1)
    return str(found["track"])


@pytest.fixture
def page(browser: Browser, studio: Studio, track: str) -> Iterator[Page]:
    """The track's. At the end of a test nothing may have gone wrong in it, nor against its content policy."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.set_default_timeout(LOADED_IN_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(f"{studio.address}/tracks/{track}")
    expect(version(page, "Original")).to_be_visible(timeout=LOADED_IN_MS)
    yield page
    page.close()
    if not studio.ask("tracks")["total"]:  # what was asked of a track that was removed meanwhile is not found
        wrong = [said for said in wrong if "404 (Not Found)" not in said]
    assert wrong == []


def downloaded(page: Page, link: Locator) -> Download:
    with page.expect_download(timeout=LOADED_IN_MS) as coming:
        link.click()
    return coming.value


def rms_db(wave: bytes) -> float:
    samples, _ = sf.read(io.BytesIO(wave))
    return float(10 * np.log10(np.mean(samples**2)))


def test_a_recording_dropped_is_watched_to_its_end_though_the_server_goes_and_comes(
    browser: Browser, studio: Studio, song: Path, tmp_path: Path, artifacts: Path
) -> None:
    text = tmp_path / "shopping list.mp3"
    text.write_text("milk, bread, strings for the guitar\n" * 400)
    studio.start()
    here, there = opened(browser, studio), opened(browser, studio)
    here.get_by_test_id("files").set_input_files([song, text])
    expect(here.get_by_role("heading", name="1 of 2 files can't be used")).to_be_visible(timeout=60_000)
    refused = here.get_by_role("listitem").filter(has_text="shopping list.mp3")
    expect(refused.get_by_text(re.compile("^Is not audio"))).to_be_visible()
    queue = there.get_by_role("region", name="Queue")
    expect(queue.get_by_role("link", name="song")).to_be_visible(timeout=60_000)
    expect(queue).to_contain_text(re.compile(r"stems, \d+ %"), timeout=PROCESSED_IN_MS)

    # The server goes and comes again: both pages find it by themselves.
    studio.stop()
    for page in (here, there):
        expect(page.get_by_text("No connection, trying again")).to_be_visible(timeout=30_000)
    studio.start()
    for page in (here, there):
        expect(page.get_by_text("No connection, trying again")).to_be_hidden(timeout=60_000)
    row = here.locator("[data-index='0']")
    # What was stopped goes on by itself, a stage at a time, or at once when it is asked for.
    remedy = row.get_by_role("button", name=re.compile("^(Retry|Process)"))
    expect(remedy.or_(row.get_by_text("Done"))).to_be_visible(timeout=PROCESSED_IN_MS)
    if remedy.is_visible():
        remedy.click()
    expect(row).to_contain_text(re.compile("Done|Not accepted"), timeout=PROCESSED_IN_MS)
    here.screenshot(path=artifacts / "library.png")
    row.get_by_role("link", name="song").click()
    expect(here.get_by_role("heading", name="song", level=1)).to_be_visible(timeout=LOADED_IN_MS)
    here.close()
    there.close()
    assert song.exists()


def test_versions_are_switched_while_they_play_looped_and_compared(page: Page, artifacts: Path) -> None:
    for picture in (".timeline-lanes .wave", ".spectrogram .tile >> nth=0", ".overview .wave"):
        wait_until_painted(page.locator(picture))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    wait_for_position(page, 1)
    page.keyboard.press("3")
    expect(version(page, "Master")).to_have_attribute("aria-pressed", "true")
    version(page, "Mix").click()
    expect(version(page, "Mix")).to_have_attribute("aria-pressed", "true")
    expect(version(page, "Master")).to_have_attribute("aria-pressed", "false")

    box = page.get_by_role("slider", name="Position in the track").bounding_box()
    assert box is not None
    for at, act in ((0.25, page.mouse.down), (0.5, page.mouse.up)):
        page.mouse.move(box["x"] + at * box["width"], box["y"] + 20, steps=5)
        act()
    loop = page.get_by_role("button", name="Loop", exact=True)
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(1000 * CLIP_SECONDS / 2)  # twice the region: outside it, were it not looped
    assert CLIP_SECONDS / 4 - 1 <= position(page) <= CLIP_SECONDS / 2
    page.get_by_role("button", name="Forget the region").click()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

    version(page, "Master").click()
    panel = tab(page, "Before and after")
    expect(panel.get_by_role("img", name=re.compile("^Difference by octave: 32 hertz"))).to_be_visible()
    expect(panel.get_by_text("Compared at equal loudness")).to_be_visible()
    expect(panel.get_by_role("region", name=re.compile("^Likeness")).get_by_role("listitem")).to_have_count(
        16
    )

    page.set_viewport_size({"width": 1280, "height": 1400})
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / "track.png")


def test_stems_are_mixed_and_their_notes_seen(page: Page) -> None:
    panel = tab(page, "Mixer")
    mixer = panel.get_by_role("button", name="Hear the mixer")
    mixer.click()
    expect(mixer).to_have_attribute("aria-pressed", "true")
    expect(version(page, "Original")).to_have_attribute("aria-pressed", "false")
    drums = panel.get_by_role("group", name="Drums")
    drums.get_by_role("button", name="Mute").click()
    level = drums.get_by_role("slider", name=re.compile("^Level"))
    level.focus()
    at = float(level.input_value())
    page.keyboard.press("ArrowLeft")
    assert float(level.input_value()) == at - 0.5
    bass = panel.get_by_role("group", name="Bass")
    bass.get_by_role("button", name="Solo").click()
    expect(bass.get_by_role("button", name="Solo")).to_have_attribute("aria-pressed", "true")
    bass.get_by_role("button", name="Show notes").click()
    wait_until_painted(page.locator(".notes-bass"))
    panel.get_by_role("button", name="Reset all").click()
    expect(drums.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")
    version(page, "Original").click()
    expect(mixer).to_have_attribute("aria-pressed", "false")


def test_levels_of_the_mixer_outlive_a_reload_and_go_into_the_brief_where_they_wait(page: Page) -> None:
    panel = tab(page, "Mixer")
    level = panel.get_by_role("group", name="Bass").get_by_role("slider", name=re.compile("^Level"))
    use = panel.get_by_role("button", name="Use these levels")
    expect(use).to_be_disabled()
    level.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")  # half a decibel each
    moved = float(level.input_value())
    page.reload()
    assert float(level.input_value(timeout=LOADED_IN_MS)) == moved
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_in_viewport()
    use.click()
    waiting = page.get_by_role("tab", name="Brief not applied yet")
    expect(waiting).to_have_attribute("aria-selected", "true")
    gain = page.get_by_role("spinbutton", name="Gains (dB): Bass")
    expect(gain).to_have_value("2")
    expect(gain).to_be_in_viewport()
    expect(page.get_by_text("Made anew when it is applied: mix and master.")).to_be_visible()
    tab(page, "Before and after")
    page.reload()
    waiting.click(timeout=LOADED_IN_MS)
    expect(gain).to_have_value("2")
    page.get_by_role("button", name="Discard").click()
    expect(waiting).to_have_count(0)
    expect(gain).to_have_value("")
    tab(page, "Mixer").get_by_role("button", name="Reset all").click()


def test_what_plays_stays_in_sight_and_covers_nothing_that_has_the_focus(page: Page) -> None:
    tab(page, "What was done")
    bar = page.locator(".player-bar")
    for width, height in ((1280, 900), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_in_viewport(ratio=1)
        expect(version(page, "Original")).to_be_in_viewport()
        page.get_by_role("tabpanel").locator("summary").last.focus()
        for _ in range(12):
            page.keyboard.press("Shift+Tab")
            at, under = page.evaluate(
                "(a => [a.getBoundingClientRect().top, a.closest('.player-bar, .header')])(document.activeElement)"
            )
            ends = bar.bounding_box()
            assert ends is not None
            assert under is not None or at >= ends["y"] + ends["height"] - 1


def test_ten_blind_trials_are_judged_by_the_binomial_distribution_kept_and_exported(
    page: Page, studio: Studio, track: str
) -> None:
    panel = tab(page, "Blind test")
    panel.get_by_label("Trials").fill("10")
    panel.get_by_label("Listener").fill("Ida")
    panel.get_by_role("button", name="Start").click()
    for trial in range(1, 11):
        expect(panel.get_by_role("heading", name=f"Trial {trial} of 10")).to_be_visible()
        panel.get_by_role("button", name="X", exact=True).click()
        panel.get_by_role("button", name="X is A").click()
    expect(panel.get_by_role("status")).to_contain_text(re.compile(r"\d+ of 10 right"))
    row = panel.get_by_role("row").filter(has_text="Ida")
    expect(row).to_contain_text(re.compile(r"\d+ of 10"))
    (kept,) = studio.ask(f"tracks/{track}/abx")["tests"]
    right = sum(one["x"] == "a" for one in kept["trials"])  # a was said each time
    assert kept["right"] == right
    assert kept["p"] == pytest.approx(sum(math.comb(10, k) for k in range(right, 11)) / 2**10)
    table = downloaded(page, panel.get_by_role("link", name="Export as CSV")).path().read_text()
    assert "Ida" in table and len(list(csv.reader(io.StringIO(table)))) > 1


def test_another_loudness_makes_a_second_master_and_the_earlier_brief_brings_the_first_back(
    page: Page, studio: Studio, track: str
) -> None:
    first = studio.file(current_master(studio, track)["url"])
    panel = tab(page, "Brief")
    panel.get_by_label("Target (LUFS)").fill("-20")
    panel.get_by_role("button", name="Apply 1 change").click()
    expect(panel.get_by_text(re.compile("^The brief is changed. Made anew: .*master"))).to_be_visible()
    earlier = page.get_by_role("region", name="Versions").get_by_role(
        "button", name=re.compile("^Master, earlier")
    )
    expect(earlier).to_have_count(1, timeout=PROCESSED_IN_MS)
    expect(version(page, "Master")).to_be_visible(timeout=PROCESSED_IN_MS)
    second = current_master(studio, track)
    assert second["loudness_lufs"] == pytest.approx(-20, abs=0.2)
    assert rms_db(studio.file(second["url"])) < rms_db(first) - 3

    panel = tab(page, "Before and after")
    version(page, "Master").click()
    against = panel.get_by_role("combobox")
    before = against.locator("option", has_text=re.compile(r"^Master of .*LUFS\)$"))
    against.select_option(before.get_attribute("value"))
    expect(panel.get_by_text(re.compile(r"as it is, Master is \d+\.\d LU softer"))).to_be_visible()
    earlier.click()
    expect(earlier).to_have_attribute("aria-pressed", "true")

    panel = tab(page, "Brief")
    expect(panel.get_by_text("Target (LUFS): −14 then, −20 now")).to_be_visible()
    panel.get_by_role("button", name=re.compile("^Restore")).first.click()
    expect(panel.get_by_label("Target (LUFS)")).to_have_value("-14")
    deadline = time.monotonic() + PROCESSED_IN_MS / 1000
    while studio.file(current_master(studio, track)["url"]) != first:
        assert time.monotonic() < deadline, "the first master has not come back"
        time.sleep(1)


def test_the_recording_is_made_anew_blended_while_it_plays_and_left_as_restored(
    page: Page, studio: Studio, track: str
) -> None:
    master = studio.file(current_master(studio, track)["url"])
    card = tab(page, "Before and after").get_by_role("region", name="Restored or made anew")
    card.get_by_role("button", name="Make anew").click()
    slider = card.get_by_role("slider", name="Blend")
    expect(slider).to_be_visible(timeout=PROCESSED_IN_MS)
    expect(card.get_by_text("Played anew from its notes").first).to_be_visible()
    slider.fill("0.3")
    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(page, 1)
    expect(card.get_by_role("button", name="The blend")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Pause", exact=True).click()
    card.get_by_role("button", name="Use this blend").click()
    expect(version(page, "Restored and made anew, blended")).to_be_visible(timeout=PROCESSED_IN_MS)
    stages = {stage["stage"]: stage for stage in studio.ask(f"tracks/{track}")["stages"]}
    assert stages["generated_track"]["measures"]["share"] == 0.3
    card.get_by_role("button", name="As restored").click()
    expect(card.get_by_role("button", name="Make anew")).to_be_enabled(timeout=PROCESSED_IN_MS)
    assert studio.file(current_master(studio, track)["url"]) == master


def test_an_archive_and_a_single_stem_are_taken_away(page: Page, tmp_path: Path) -> None:
    panel = tab(page, "Export")
    for name, wanted in (("Masters", True), ("Stems, as separated", True), ("MIDI", True), ("Mix", False)):
        panel.get_by_label(name, exact=True).set_checked(wanted)
    panel.get_by_label("Bits").select_option("32 (float)")
    panel.get_by_label("Format").select_option("FLAC")
    expect(panel.get_by_label("Bits").locator("option")).to_have_text(["16", "24"])
    panel.get_by_label("Bits").select_option("16")
    archive = downloaded(page, panel.get_by_role("link", name="Download the archive"))
    with zipfile.ZipFile(archive.path()) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        sounds = {name: sf.info(io.BytesIO(packed.read(name))) for name in names if name.endswith(".flac")}
        assert any(name.endswith(".mid") for name in names)
    for stem in ("vocals", "drums", "bass", "other", "master"):
        assert any(stem in name.lower() for name in sounds), names
    assert {sound.subtype for sound in sounds.values()} == {"PCM_16"}
    lengths = [sound.frames / sound.samplerate for sound in sounds.values()]
    assert lengths == pytest.approx([CLIP_SECONDS] * len(lengths), abs=0.1)

    drums = downloaded(page, panel.get_by_role("link", name="Drums, as separated", exact=True))
    drums.save_as(tmp_path / "drums.wav")
    assert sf.info(tmp_path / "drums.wav").samplerate == SAMPLE_RATE


def test_a_track_removed_is_gone_in_all_browsers_and_the_file_is_still_there(
    page: Page, browser: Browser, studio: Studio, song: Path
) -> None:
    other = opened(browser, studio)
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    for each in (page, other):
        expect(each.get_by_role("heading", name="No tracks yet")).to_be_visible(timeout=60_000)
    other.close()
    assert studio.ask("tracks")["total"] == 0
    assert song.exists()


def current_master(studio: Studio, track: str) -> dict[str, Any]:
    (one,) = (one for one in studio.ask(f"tracks/{track}")["versions"] if one["id"] == "master")
    return dict(one)
