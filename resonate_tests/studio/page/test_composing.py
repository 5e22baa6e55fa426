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
    compose.get_by_text("Also assumed: metre").click()
    expect(compose.get_by_text("4/4")).to_be_visible()
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
        ("techno, 130 bpm", {"title": "", "seed": 1, "asked": asked, "engine": "composer"})
    ]
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.get_by_role("textbox", name="Compose from words")).to_have_value("")  # it is composed
    expect(page.get_by_role("cell", name=re.compile("techno, 130 bpm.*Composed by rules"))).to_be_visible()


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
    compose.get_by_text("What the others need").click()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
