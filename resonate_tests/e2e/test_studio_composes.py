"""Words on the page become a track that is heard, before the real job API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from resonate_tests.e2e.studio_page import LOADED_IN_MS, Studio, opened, version, wait_for_position
from resonate_tests.e2e.test_web_ui import CHROMIUM_FLAGS
from resonate_tests.programs import required
from resonate_tests.studio.page.conftest import built

__all__ = ["built"]
HEARD_IN_S = 600.0


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("studio") / "home"
    home.mkdir()
    studio = Studio(home, free_port)
    studio.start()
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def browser(built: None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"), headless=True, args=CHROMIUM_FLAGS
        )
        yield browser
        browser.close()


def test_words_are_understood_changed_composed_and_heard_stem_by_stem(
    browser: Browser, studio: Studio, artifacts: Path
) -> None:
    page = opened(browser, studio)
    page.set_default_timeout(LOADED_IN_MS)
    page.get_by_role("textbox", name="Compose from words").fill("techno in C minor, 130 bpm, quxly")
    compose = page.get_by_role("region", name="Compose from words")
    expect(compose.get_by_role("status")).to_contain_text("Techno in C minor, 130 BPM")
    expect(compose.get_by_text("Not understood: quxly")).to_be_visible()
    compose.get_by_label("Tempo (BPM)").fill("126")
    compose.get_by_role("button", name="Length in bars").click()
    compose.get_by_label("Length (bars)").fill("4")
    expect(compose.get_by_role("status")).to_have_text("Techno in C minor, 126 BPM, 0:08")
    compose.get_by_text("Who plays", exact=True).click()
    compose.get_by_label("Add an instrument").select_option("flute")
    expect(compose.get_by_text("your choice: nobody else plays")).to_be_visible()
    page.screenshot(path=str(artifacts / "compose_card.png"), full_page=True)
    compose.get_by_role("button", name="Compose", exact=True).click()
    expect(page).to_have_url(re.compile("/tracks/techno-in-c-minor-130-bpm-quxly-"))
    told = page.get_by_role("region", name="Composed by rules")
    expect(told).to_contain_text("licence GPL-3.0-or-later · seed 0")
    working = page.get_by_role("region", name="Being processed").get_by_role("status")
    expect(working).to_contain_text(re.compile("[Cc]omposing|Playing the composition"), timeout=180_000)

    # Its stems can be heard long before all is made.
    drums = version(page, "Drums")
    deadline = time.monotonic() + HEARD_IN_S
    while not drums.is_visible():
        assert time.monotonic() < deadline, studio.ask("jobs")
        page.wait_for_timeout(1000)
    expect(page.get_by_role("group", name="Stems, as composed")).to_be_visible()
    drums.click()
    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(page, 1)
    expect(drums).to_have_attribute("aria-pressed", "true")
    told.get_by_text("What was understood and assumed").click()
    expect(told).to_contain_text("126 BPM your choice")
    expect(told).to_contain_text(re.compile(r"Who plays.*flute \((counter-)?melody\) your choice"))
    page.screenshot(path=str(artifacts / "composed_track.png"))
    expect(page.get_by_role("group", name="Restored")).to_be_hidden()

    told.get_by_role("button", name="Variation").click()
    expect(told).to_contain_text("seed 1")
    assert len(studio.ask("tracks")["tracks"]) == 2
    page.close()
