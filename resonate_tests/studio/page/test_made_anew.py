"""A recording made anew beside its restoration, on the track's page, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from resonate_tests.studio.page.stand_in import StandIn, summary
from resonate_tests.studio.page.stand_in_restoring import LABEL
from resonate_tests.studio.page.test_library_page import AXE


def card(page: Page, studio: StandIn) -> Locator:
    """Of a track that was restored."""
    studio.tracks = [summary("night", "Night")]
    page.goto(f"{studio.address}/tracks/night")
    found = page.get_by_role("region", name="Restored or made anew")
    expect(found).to_be_visible()
    return found


def test_where_nothing_is_made_anew_it_is_offered_with_what_it_means(page: Page, studio: StandIn) -> None:
    offer = card(page, studio)
    expect(offer).to_contain_text("the recording, its mix and its master stay as they are")
    expect(offer).to_contain_text("about 12 dB of signal to noise. Between 5 and 15 dB a blend may be best.")
    expect(offer.get_by_role("slider")).to_be_hidden()
    offer.get_by_role("button", name="Make anew").click()
    expect(offer.get_by_role("slider", name="Blend")).to_be_visible()
    assert studio.restored.changes == [{"restoration.mode": "generate"}]


@pytest.mark.parametrize(("label", "shown"), [(LABEL, "Played anew from its notes"), ("AI-generated",) * 2])
def test_it_is_called_what_the_server_calls_it_wherever_it_is_heard(
    page: Page, studio: StandIn, label: str, shown: str
) -> None:
    studio.restored.wanted["restoration.mode"] = "generate"
    studio.restored.label = label
    blend = card(page, studio)
    expect(blend.get_by_text(shown).first).to_be_visible()
    versions = page.get_by_role("region", name="Versions")
    expect(versions.get_by_text(shown, exact=True)).to_be_visible()
    expect(versions.get_by_role("button", name=f"Made anew, {shown}")).to_be_visible()


def test_a_blend_is_heard_as_the_slider_moves_and_its_parts_alone(page: Page, studio: StandIn) -> None:
    studio.restored.wanted["restoration.mode"] = "generate"
    blend = card(page, studio)
    slider = blend.get_by_role("slider", name="Blend")
    expect(slider).to_have_value("1")  # as it was made
    slider.focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "69 % made anew")
    heard = blend.get_by_role("group", name="Compare").get_by_role("button", pressed=True)
    expect(heard).to_have_text("The blend")
    versions = page.get_by_role("region", name="Versions").get_by_role("button", pressed=True)
    expect(versions).to_have_count(0)
    blend.get_by_role("button", name="Original, restored").click()
    expect(heard).to_have_text("Original, restored")
    expect(versions).to_have_accessible_name("Original, restored, −16.0 LUFS")
    blend.get_by_role("button", name="The blend").click()
    expect(heard).to_have_text("The blend")


def test_the_blend_that_is_heard_is_asked_for_and_taken_back(page: Page, studio: StandIn) -> None:
    studio.restored.wanted["restoration.mode"] = "generate"
    blend = card(page, studio)
    blend.get_by_role("slider", name="Blend").fill("0.35")
    blend.get_by_role("button", name="Use this blend").click()
    expect(blend).to_contain_text("The brief asks for a blend, 35 % made anew.")
    expect(blend.get_by_role("button", name="Use this blend")).to_be_disabled()  # it is
    blend.get_by_role("button", name="As restored").click()
    expect(blend.get_by_role("button", name="Make anew")).to_be_visible()
    assert studio.restored.changes == [
        {"restoration.mode": "blend", "restoration.blend": 0.35},
        {"restoration.mode": "restore"},
    ]


def test_a_blend_that_is_all_restored_asks_for_the_restored_recording(page: Page, studio: StandIn) -> None:
    studio.restored.wanted["restoration.mode"] = "generate"
    blend = card(page, studio)
    blend.get_by_role("slider", name="Blend").fill("0")
    blend.get_by_role("button", name="Use this blend").click()
    expect(blend.get_by_role("button", name="Make anew")).to_be_visible()
    assert studio.restored.changes == [{"restoration.mode": "restore"}]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_amiss_in_offer_and_blend(
    browser: Browser, studio: StandIn, theme: str, width: int
) -> None:
    for mode in ("restore", "blend"):
        studio.restored.wanted["restoration.mode"] = mode
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            bypass_csp=True,
        )
        card(page, studio)
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run('.made-anew', { resultTypes: ['violations'] })")["violations"]
        assert [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.close()
