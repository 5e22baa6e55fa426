"""`resonate studio` on a home, and what tests do on its page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

LOADED_IN_MS = 60_000


@dataclass
class Studio:
    """`resonate studio` on a home."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Until it answers; nothing, where it runs."""
        if self.process is not None:
            return
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RESONATE_", "DAGSTER_"))
        } | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "resonate_studio.cli", "studio"]
        command += ["--home", str(self.home), "--port", str(self.port)]
        log = self.home.parent / "studio.log"
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                command, env=environment, stdout=said, stderr=said, start_new_session=True
            )
        deadline = time.monotonic() + 180
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                self.ask("health")
                return
            except OSError:
                time.sleep(0.3)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(90)
            self.process = None

    def ask(self, at: str) -> Any:
        """What the API answers to GET."""
        with urllib.request.urlopen(f"{self.address}/api/v1/{at}", timeout=30) as answer:
            return json.load(answer)

    def file(self, url: str) -> bytes:
        with urllib.request.urlopen(self.address + url, timeout=60) as answer:
            return bytes(answer.read())


def opened(browser: Browser, studio: Studio) -> Page:
    """The library."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(studio.address)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=LOADED_IN_MS)
    return page


def version(page: Page, name: str) -> Locator:
    """The button to hear it by, of what counts now."""
    return page.get_by_role("region", name="Versions").get_by_role(
        "button", name=re.compile(rf"^{name}, (?!earlier)")
    )


def tab(page: Page, name: str) -> Locator:
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def position(page: Page) -> int:
    """Of the playhead, in whole seconds."""
    return int(page.get_by_role("slider", name="Position in the track").get_attribute("aria-valuenow") or -1)


def wait_for_position(page: Page, seconds: int) -> None:
    deadline = time.monotonic() + LOADED_IN_MS / 1000
    while position(page) < seconds:
        assert time.monotonic() < deadline, "it does not play"
        time.sleep(0.05)


def painted(canvas: Locator) -> bool:
    """Whether anything is drawn on it."""
    return bool(
        canvas.evaluate(
            "c => c.width > 0 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(one => one > 0)"
        )
    )


def wait_until_painted(canvas: Locator) -> None:
    expect(canvas).to_be_visible(timeout=LOADED_IN_MS)
    deadline = time.monotonic() + LOADED_IN_MS / 1000
    while not painted(canvas):
        assert time.monotonic() < deadline, "nothing is drawn"
        time.sleep(0.1)
