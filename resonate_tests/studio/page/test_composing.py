"""Words on the library page, and a composed track's own page, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from resonate_tests.studio.page.stand_in import StandIn, summary
from resonate_tests.studio.page.test_library_page import AXE, opened


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Compose from words")


def write(page: Page, words: str) -> Locator:
    """The card, once it tells what is understood."""
    page.get_by_role("textbox", name="Compose from words").fill(words)
    expect(card(page).get_by_label("Genre")).to_be_visible()
    return card(page)


def test_what_is_understood_is_told_a_moment_after_typing_with_where_it_is_from(
    page: Page, studio: StandIn
) -> None:
    opened(page, studio)
    expect(card(page).get_by_role("button", name="Compose", exact=True)).to_be_hidden()
    compose = write(page, "techno, 130 bpm, quxly")
    expect(compose.get_by_role("status")).to_have_text("Techno in F♯ minor, 130 BPM, 0:59")  # 32 bars of 4/4
    expect(compose.get_by_label("Tempo (BPM)")).to_have_value("130")
    expect(compose.get_by_label("Tempo (BPM)")).to_have_accessible_description("from “130 bpm”")
    expect(compose.get_by_label("Key, tonic")).to_have_accessible_description("assumed")
    expect(compose.get_by_text("Not understood: quxly")).to_be_visible()
    expect(compose.get_by_label("Metre")).to_have_value("4/4")
    compose.get_by_text("Also assumed: swing").click()
    expect(compose.get_by_text("straight")).to_be_visible()
    compose.get_by_text("What the others need").click()
    expect(compose.get_by_text("no weights; put the folder")).to_be_visible()
    expect(compose.get_by_role("option", name=re.compile("musicgen"))).to_be_disabled()


def test_what_is_chosen_counts_until_it_is_undone_and_is_sent_with_the_words(
    page: Page, studio: StandIn
) -> None:
    opened(page, studio)
    compose = write(page, "techno, 130 bpm")
    compose.get_by_label("Tempo (BPM)").fill("126")
    compose.get_by_label("Genre").select_option("deep house")
    expect(compose.get_by_role("status")).to_contain_text("126 BPM")
    expect(compose.get_by_label("Genre")).to_have_accessible_description(re.compile("^your choice"))
    compose.get_by_role("button", name="Undo choice of Genre").click()
    expect(compose.get_by_label("Genre")).to_have_value("techno")
    compose.get_by_role("button", name="Length in bars").click()
    compose.get_by_label("Length (bars)").fill("4")
    compose.get_by_label("Mood").select_option("calm")
    compose.get_by_role("button", name="Another seed").click()
    expect(compose.get_by_role("button", name="Leave out calm")).to_be_visible()
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    expect(page.get_by_text("In the queue, at place 1")).to_be_visible()
    asked = {"bpm": [126, 126], "bars": 4, "duration_s": None, "mood": ["calm"]}
    assert studio.composed == [
        (
            "techno, 130 bpm",
            {"title": "", "seed": 1, "asked": asked, "engine": "composer", "by_model": False},
        )
    ]
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.get_by_role("textbox", name="Compose from words")).to_have_value("")  # it is composed
    expect(page.get_by_role("cell", name=re.compile("techno, 130 bpm.*Composed by rules"))).to_be_visible()


def test_the_form_is_edited_section_by_section_and_counts_whatever_the_words_say(
    page: Page, studio: StandIn
) -> None:
    opened(page, studio)
    compose = write(page, "techno, 130 bpm")
    compose.get_by_text("Form", exact=True).click()
    compose.get_by_label("Add a section").select_option("intro")
    compose.get_by_label("Bars of intro, section 2").fill("4")
    compose.get_by_label("Energy of intro, section 2").fill("0.3")
    up = compose.get_by_role("button", name="Move intro, section 2, up")
    up.focus()
    page.keyboard.press("Enter")
    expect(compose.get_by_label("Section 1", exact=True)).to_have_value("intro")
    expect(compose.get_by_role("button", name="Move intro, section 1, down")).to_be_focused()
    expect(compose.get_by_role("status")).to_have_text("Techno in F♯ minor, 130 BPM, 1:06")  # 36 bars of 4/4
    expect(compose.get_by_text("Your choice counts, whatever the words say: Form.")).to_be_visible()
    compose.get_by_role("button", name="Leave out drop, section 2").click()
    expect(compose.get_by_label("Bars of intro, section 1")).to_have_value("4")
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert studio.composed[0][1]["asked"] == {"sections": [{"name": "intro", "bars": 4, "energy": 0.3}]}


def test_who_plays_what_is_chosen_and_let_go_of(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    players = compose.locator(".compose-whole", has_text="Who plays")
    expect(players).to_contain_text("Drums, electric piano (chords)")
    players.get_by_text("Who plays", exact=True).click()
    players.get_by_label("What electric piano plays, instrument 2").select_option("melody")
    players.get_by_label("Add an instrument").select_option("flute")
    expect(players.get_by_label("What flute plays, instrument 3")).to_have_value(
        "countermelody"
    )  # nobody does
    players.get_by_role("button", name="Leave out drums, instrument 1").click()
    expect(players).to_contain_text("Electric piano (melody), flute (counter-melody)")
    expect(compose.get_by_text("your choice: nobody else plays")).to_be_visible()
    compose.get_by_role("button", name="Undo all choices").click()
    expect(players).to_contain_text("Drums, electric piano (chords)")
    expect(compose.get_by_text("nobody else plays")).to_be_hidden()


def test_bars_that_cannot_be_are_told_and_not_taken(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_text("Form", exact=True).click()
    bars = compose.get_by_label("Bars of drop, section 1")
    bars.fill("0")
    expect(bars).to_have_attribute("aria-invalid", "true")
    expect(compose.get_by_text("1 to 1024")).to_be_visible()
    bars.blur()
    expect(bars).to_have_value("32")
    assert "sections" not in page.evaluate("sessionStorage.getItem('resonate.draft.composition')")


def test_metre_and_title_are_chosen_and_sent(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_label("Metre").select_option("3/4")
    expect(compose.get_by_label("Metre")).to_have_accessible_description(re.compile("^your choice"))
    compose.get_by_label("Title").fill("Night drive")
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert (studio.composed[0][1]["title"], studio.composed[0][1]["asked"]) == (
        "Night drive",
        {"metre": "3/4"},
    )


def test_the_model_that_is_set_up_reads_when_it_is_asked_to_and_not_at_every_pause(
    page: Page, studio: StandIn
) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_label("Read by the model").check()
    expect(compose.get_by_text(re.compile("^openai:small reads the words when you ask"))).to_be_visible()
    expect(compose.get_by_role("status")).to_have_text(
        "Changed since it was read: ask to have it understood."
    )
    compose.get_by_role("button", name="Understand").click()
    expect(compose.get_by_text("Read by openai:small")).to_be_visible()
    before = studio.asked.count("POST /api/v1/compositions/understanding")
    page.get_by_role("textbox", name="Compose from words").fill("techno, 140 bpm")
    page.wait_for_timeout(1500)  # two pauses
    assert studio.asked.count("POST /api/v1/compositions/understanding") == before
    compose.get_by_role("button", name="Understand").click()
    expect(compose.get_by_role("status")).to_contain_text("140 BPM")
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert studio.composed[0][1]["by_model"] is True


def test_a_track_of_the_library_is_the_reference_until_it_is_left_out(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary("night", "Night", artist="Ann"), summary("day", "Day")]
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_text("In the style of", exact=True).click()
    compose.get_by_label("Find a track").fill("nig")
    track = compose.get_by_label("Track in whose style it is composed")
    expect(track.get_by_role("option")).to_have_text(["A track of the library…", "Ann – Night"])
    track.select_option("Ann – Night")
    expect(compose.get_by_label("Tempo (BPM)")).to_have_accessible_description("heard in “Night”")
    compose.get_by_role("button", name="Leave it out").click()
    expect(compose.get_by_label("Tempo (BPM)")).not_to_have_value("96")
    track.select_option("Ann – Night")
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert studio.composed[0][1]["reference"] == "night"
    assert studio.composition_references == []


def test_a_reference_plays_by_its_own_sounds_where_there_is_one_and_the_composer_plays(
    page: Page, studio: StandIn
) -> None:
    studio.tracks = [summary("night", "Night")]
    opened(page, studio)
    compose = write(page, "techno")
    sounds = compose.get_by_role("checkbox", name="Play by its own sounds")
    expect(sounds).to_have_count(0)
    compose.get_by_text("In the style of", exact=True).click()
    track = compose.get_by_label("Track in whose style it is composed")
    track.select_option("Night")
    expect(sounds).not_to_be_checked()
    expect(sounds).to_have_accessible_description(
        re.compile("Whoever holds the rights in it holds them in these")
    )
    sounds.check()
    compose.get_by_label("Made by").select_option("jasco")
    expect(sounds).to_have_count(0)
    compose.get_by_label("Made by").select_option("composer")
    expect(sounds).to_be_checked()
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert (studio.composed[0][1]["reference"], studio.composed[0][1]["reference_sounds"]) == ("night", True)
    told = page.get_by_role("region", name="Composed by rules, with sounds of a recording")
    expect(told.get_by_text("Bass, drums: sounds of Night; whose rights.")).to_be_visible()


def test_sounds_of_a_reference_that_was_left_out_are_not_asked_for(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_text("In the style of", exact=True).click()
    compose.get_by_label("Or a file").set_input_files(
        {"name": "like this.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    )
    compose.get_by_role("checkbox", name="Play by its own sounds").check()
    compose.get_by_role("button", name="Leave it out").click()
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert "reference_sounds" not in studio.composed[0][1]


def test_a_file_is_the_reference_and_takes_the_place_of_a_track(page: Page, studio: StandIn) -> None:
    studio.tracks = [summary("night", "Night")]
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_text("In the style of", exact=True).click()
    compose.get_by_label("Track in whose style it is composed").select_option("Night")
    compose.get_by_label("Or a file").set_input_files(
        {"name": "like this.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    )
    expect(compose.get_by_text("It is heard when it is composed")).to_be_visible()
    compose.get_by_role("checkbox", name="Play by its own sounds").check()
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/composed-1$"))
    assert "reference" not in studio.composed[0][1]
    assert studio.composed[0][1]["reference_sounds"] is True
    assert studio.composition_references == ["like this.wav"]


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("Tempo (BPM)", "999", "A tempo is 30 to 300 BPM"),
        ("Tempo (BPM)", "fast", "A tempo is 30 to 300 BPM"),
        ("Length (min:s)", "3:60", "A length is 0:05 to 30:00, as minutes:seconds"),
        ("Seed", "2147483648", "A seed is a whole number from 0 to 2147483647"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_composed(
    page: Page, studio: StandIn, field: str, typed: str, told: str
) -> None:
    opened(page, studio)
    compose = write(page, "techno")
    compose.get_by_label(field, exact=True).fill(typed)
    expect(compose.get_by_label(field, exact=True)).to_have_accessible_description(told)
    expect(compose.get_by_label(field, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(compose.get_by_role("button", name="Compose", exact=True)).to_be_disabled()


def test_contradictions_and_refusals_are_told_in_a_line(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    compose = write(page, "contradict")
    expect(compose.get_by_text("Key: C major against D minor; none of them was taken")).to_be_visible()
    expect(compose.get_by_label("Key, tonic")).to_have_accessible_description(re.compile("contradict"))
    page.get_by_role("textbox", name="Compose from words").fill("refuse")
    expect(compose.get_by_role("alert").first).to_have_text("prompt: can't be composed")
    expect(compose.get_by_role("button", name="Compose", exact=True)).to_be_disabled()


def test_words_begun_outlive_a_look_at_a_track_and_are_gone_with_the_tab(
    page: Page, browser: Browser, studio: StandIn
) -> None:
    studio.tracks = [summary("night", "Night")]
    opened(page, studio)
    write(page, "techno")
    page.get_by_role("link", name="Night").click()
    expect(page.get_by_role("heading", name="Night")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("textbox", name="Compose from words")).to_have_value("techno")
    other = browser.new_page()
    opened(other, studio)
    expect(other.get_by_role("textbox", name="Compose from words")).to_have_value("")
    other.close()


def test_a_composed_track_tells_its_words_and_is_varied_and_changed(page: Page, studio: StandIn) -> None:
    opened(page, studio)
    write(page, "techno, 130 bpm")
    card(page).get_by_label("Tempo (BPM)").fill("126")
    card(page).get_by_role("button", name="Compose", exact=True).click()
    told = page.get_by_role("region", name="Composed by rules")
    expect(told).to_contain_text("composer · licence GPL-3.0-or-later · seed 0")
    expect(told.get_by_text("techno, 130 bpm")).to_be_visible()
    told.get_by_text("What was understood and assumed").click()
    expect(told.get_by_role("heading", name="Assumed")).to_be_visible()
    told.get_by_role("button", name="Variation").click()
    expect(page).to_have_url(re.compile("/tracks/composed-2$"))
    expect(told).to_contain_text("seed 1")
    assert [beside["seed"] for _, beside in studio.composed] == [0, 1]
    assert [beside["asked"] for _, beside in studio.composed] == [{"bpm": [126, 126]}] * 2
    told.get_by_role("button", name="Change the words").click()
    expect(page.get_by_role("textbox", name="Compose from words")).to_be_focused()
    expect(page.get_by_role("textbox", name="Compose from words")).to_have_value("techno, 130 bpm")
    expect(card(page).get_by_label("Seed", exact=True)).to_have_value("1")
    expect(card(page).get_by_label("Tempo (BPM)")).to_have_value("126")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_label_in_a_list_is_seen_however_long_the_name_beside_it(
    page: Page, studio: StandIn, width: int
) -> None:
    studio.tracks = [summary("night", "Night", artist="Long name " * 20, composed="composed by rules")]
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, studio)
    title = page.locator("[data-index='0'] .cell-title")
    label, cell = title.get_by_text("Composed by rules").bounding_box(), title.bounding_box()
    assert label is not None and cell is not None
    assert label["x"] + label["width"] <= cell["x"] + cell["width"] + 0.5


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_amiss_in_what_is_understood(
    browser: Browser, studio: StandIn, theme: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True)  # type: ignore[arg-type]
    opened(page, studio)
    compose = write(page, f"techno contradict qux{'x' * 200}")
    compose.get_by_label("Mood").select_option("calm")
    compose.get_by_label("Tempo (BPM)").fill("9")
    compose.get_by_text("Also assumed").click()
    for name in ("Form", "Who plays", "In the style of"):
        compose.get_by_text(name, exact=True).click()
    compose.get_by_label("Add a section").select_option("intro")
    compose.get_by_label("Bars of intro, section 2").fill("0")
    compose.get_by_label("Read by the model").check()
    compose.get_by_label("Or a file").set_input_files(
        {"name": "like this.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    )
    compose.get_by_label("Play by its own sounds").check()
    compose.get_by_text("What the others need").click()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
