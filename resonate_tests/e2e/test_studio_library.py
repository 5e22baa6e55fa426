"""The library page before the real job API: a recording dropped, watched to its end, removed; in two browsers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from resonate_tests.e2e.test_web_ui import CHROMIUM_FLAGS, SAMPLE_RATE
from resonate_tests.peer_encoders import Floats, encode_with_ffmpeg
from resonate_tests.programs import required
from resonate_tests.studio.page.conftest import built

__all__ = ["built"]
PROCESSED_IN_MS = 600_000


@contextmanager
def studio_running(home: Path, port: int) -> Iterator[str]:
    """`resonate studio` on that home, until the block ends; its address."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RESONATE_", "DAGSTER_"))
    } | {"OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "resonate_studio.cli",
        "studio",
        "--home",
        str(home),
        "--port",
        str(port),
    ]
    address = f"http://127.0.0.1:{port}"
    with (home.parent / "studio.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (
                home.parent / "studio.log"
            ).read_text()
            try:
                urllib.request.urlopen(f"{address}/api/v1/health", timeout=5)
                break
            except OSError:
                time.sleep(0.3)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="module")
def browser(built: None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"), headless=True, args=CHROMIUM_FLAGS
        )
        yield browser
        browser.close()


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(address)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    return page


def test_a_recording_dropped_is_watched_to_its_end_and_removed(
    browser: Browser, clips: list[Floats], tmp_path: Path, free_port: int, artifacts: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    song, text = tmp_path / "song.mp3", tmp_path / "shopping list.mp3"
    encode_with_ffmpeg(song, clips[0], SAMPLE_RATE, "libmp3lame")
    text.write_text("milk, bread, strings for the guitar\n" * 400)

    with studio_running(home, free_port) as address:
        here, there = opened(browser, address), opened(browser, address)
        here.get_by_test_id("files").set_input_files([song, text])
        expect(here.get_by_role("heading", name="1 of 2 files can't be used")).to_be_visible(timeout=60_000)
        expect(here.get_by_text(re.compile("^shopping list.mp3.*not audio"))).to_be_visible()
        queue = there.get_by_role("region", name="Queue")
        expect(queue.get_by_role("link", name="song")).to_be_visible(timeout=60_000)
        expect(queue).to_contain_text(re.compile(r"stems, \d+ %"), timeout=PROCESSED_IN_MS)

    # The server goes and comes again: both pages find it by themselves.
    for page in (here, there):
        expect(page.get_by_text("No connection, trying again")).to_be_visible(timeout=30_000)
    with studio_running(home, free_port):
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

        here.get_by_role("button", name=re.compile("^Remove")).click()
        here.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        for page in (here, there):
            expect(page.get_by_role("heading", name="No tracks yet")).to_be_visible(timeout=60_000)
    assert song.exists()
