"""The page as built, before a stand-in for its API, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from resonate_tests.programs import required
from resonate_tests.studio.page.stand_in import StandIn, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
"""Of a browser in a container, which reaches for nothing but what it is told to open."""
SOURCES = Path(__file__).parents[3] / "page"


def npm(*words: str) -> subprocess.CompletedProcess[str]:
    """What `python page/npm.py` does and says."""
    return subprocess.run(
        [sys.executable, str(SOURCES / "npm.py"), *words], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def built() -> None:
    """Of the sources as they are: at once, where it is already."""
    made = npm()
    assert made.returncode == 0, made.stdout + made.stderr


@pytest.fixture(scope="module")
def browser(built: None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"),
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def studio() -> Iterator[StandIn]:
    with running(StandIn()) as stand_in:
        yield stand_in


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Blank; at the end of a test nothing may have gone wrong in it, nor against its content policy, and nothing
    may have been asked for from elsewhere."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    elsewhere: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: (
            wrong.append(said.text)
            if said.type == "error" and "Failed to load resource" not in said.text
            else None
        ),
    )
    page.on(
        "request",
        lambda asked: (
            elsewhere.append(asked.url)
            if not asked.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else None
        ),
    )
    yield page
    page.close()
    assert wrong == []
    assert elsewhere == []
