"""What one waits for in the browser, and whether that grows with a track or with the library.

`python -m resonate_tests.benchmarks.bench_page [track [MINUTES...]] [library [TRACKS]]`; without words, 3 and 180
minutes and 10,000 tracks. Three hours take 7.6 GB of the temporary folder.

The page as built, before the real API, in headless Chromium, whose cache is empty at the start. A track is an
original, which sounds on the left, and a master, which sounds on the right: what a switch does is read off what the
page renders. Times are of the browser's own clock: from the click or key, to pixels or samples that are not zero.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from resonate_assets.partitions import tracks
from resonate_assets.settings import Settings
from resonate_resources.ingestion.track_key import track_key
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import write_recording
from resonate_resources.storage.current import record
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.storage.store import new_directory
from resonate_studio.foreground import HOST
from resonate_studio.home import open_instance, settings_for
from resonate_studio.studio_server import serving
from resonate_tests.benchmarks.bench_studio import fill
from resonate_tests.programs import required
from resonate_tests.studio.page.conftest import FLAGS

_RATE = 44_100
_MINUTES = (3, 180)
_TRACKS = 10_000
_SWITCHES = 8
_TYPED = "song 0123"
_TIMEOUT_MS = 120_000
_WARM_SECONDS = 6
"""What is loaded once a process is there by then."""

_TAP = """
registerProcessor("tap", class extends AudioWorkletProcessor {
  levels = [];
  process([input]) {
    const [left, right] = [input[0] ?? [], input[1] ?? []];
    for (let from = 0; from < 128; from += 64) {
      let [most, other] = [0, 0];
      for (let at = from; at < from + 64; at += 1) {
        most = Math.max(most, Math.abs(left[at] ?? 0));
        other = Math.max(other, Math.abs(right[at] ?? 0));
      }
      this.levels.push([currentFrame + from, most, other]);
    }
    if (this.levels.length >= 8) this.port.postMessage(this.levels.splice(0));
    return true;
  }
});
"""
_PROBE = (
    f"const TAP = {json.dumps(_TAP)};"
    + """
(() => {
  const probe = (window.probe = { levels: [], clicked: 0, frame: 0, sound: null, context: null });
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && this.context instanceof AudioContext && probe.context === null) {
      probe.context = this.context;
      const source = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
      this.context.audioWorklet.addModule(source).then(() => {
        const tap = new AudioWorkletNode(probe.context, "tap", { channelCount: 2, channelCountMode: "explicit" });
        tap.port.onmessage = ({ data }) => {
          probe.levels.push(...data);
          if (probe.sound === null && data.some(([, left, right]) => left > 0 || right > 0)) {
            probe.sound = performance.now() - probe.clicked;
          }
        };
        connect.call(this, tap);
        connect.call(tap, to); // it gives silence, and is pulled
        probe.ready = true;
      });
    }
    return connect.call(this, to, ...rest);
  };
  for (const kind of ["pointerdown", "keydown"]) {
    addEventListener(kind, () => {
      Object.assign(probe, { clicked: performance.now(), sound: null, levels: [] });
      probe.frame = Math.round((probe.context?.currentTime ?? 0) * 48000);
    }, true);
  }
  const painted = (canvas) =>
    canvas !== null && canvas.width > 0 &&
    canvas.getContext("2d").getImageData(0, canvas.height >> 1, canvas.width, 1).data.some((one) => one > 0);
  const look = () => {
    if (probe.waveform === undefined && painted(document.querySelector(".timeline-lanes .wave"))) {
      probe.waveform = performance.now();
    }
    if (probe.spectrogram === undefined && painted(document.querySelector(".spectrogram .tile"))) {
      probe.spectrogram = performance.now();
    }
    requestAnimationFrame(look);
  };
  look();
})();
"""
)
_LISTED = """(before) => new Promise((told) => {
  const look = () => {
    const now = document.querySelector(".toolbar-total")?.textContent;
    const waited = performance.now() - probe.clicked;
    if (now !== before) requestAnimationFrame(() => told(performance.now() - probe.clicked));
    else if (waited > 3000) told(null); // it left out nothing
    else requestAnimationFrame(look);
  };
  look();
})"""


@contextmanager
def home_in(folder: Path) -> Iterator[Settings]:
    """Of the environment, nothing."""
    for name in ("RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME", "RESONATE_HOME"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(dir=folder, prefix="resonate-bench-") as scratch:
        yield settings_for(Path(scratch) / "home")


@contextmanager
def served(settings: Settings, port: int) -> Iterator[str]:
    """By a process of its own, which has answered before."""
    command = [sys.executable, "-m", "resonate_tests.benchmarks.bench_page", "serve"]
    process = subprocess.Popen([*command, str(settings.home), str(port)], stdin=subprocess.PIPE)
    address = f"http://{HOST}:{port}"
    try:
        deadline = time.monotonic() + _TIMEOUT_MS / 1000
        for asked in ("/", "/api/v1/health", "/api/v1/tracks"):
            while True:
                try:
                    urllib.request.urlopen(address + asked, timeout=60).read()
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < deadline
                    time.sleep(0.3)
        time.sleep(_WARM_SECONDS)
        yield address
    finally:
        process.communicate()  # the end of its input is its end


def serve(home: Path, port: int) -> None:
    settings = settings_for(home)
    with open_instance(settings) as instance, serving(settings, HOST, port, instance=instance):
        sys.stdin.read()


def storage_of(settings: Settings) -> StorageResource:
    from resonate_assets.definitions import build_defs

    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    return storage


def publish(storage: StorageResource, track: str, stage: str, name: str, minutes: int, channel: int) -> None:
    """A tone of steady level in one of two channels."""
    with new_directory(storage.store, stage) as into:
        block = np.zeros((2, 10 * _RATE), np.float32)
        block[channel] = 0.25 * np.sin(2 * np.pi * 1000 * np.arange(10 * _RATE) / _RATE)
        with write_recording(into / name, _RATE, 2, 60 * minutes * _RATE) as writer:
            for _ in range(6 * minutes):
                writer.write(block)
        made = storage.artefacts.keep(
            Product({name: into / name}, {"loudness_lufs": -18.0, "duration_s": 60.0 * minutes}),
            stage=stage,
            track=track,
            recipe=Recipe(Engine("bench")),
            reads=[],
            seconds=1.0,
        )
    storage.artefacts.publish(made)
    record(storage.database, made.manifest)


def opened(browser: Browser, address: str) -> tuple[Page, CDPSession]:
    """In a context of its own, whose cache is empty; and what tells of its processor."""
    page = browser.new_context(
        viewport={"width": 1280, "height": 860}, bypass_csp=True
    ).new_page()  # the probe's own code is not the page's
    page.set_default_timeout(_TIMEOUT_MS)
    page.add_init_script(_PROBE)
    session = page.context.new_cdp_session(page)
    session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    session.send("Performance.enable")
    page.goto(address)
    return page, session


def measured_track(browser: Browser, minutes: int, folder: Path, port: int) -> dict[str, str]:
    key = track_key("Band", f"{minutes} minutes", f"{minutes:064x}")
    with home_in(folder) as settings, open_instance(settings) as instance:
        storage = storage_of(settings)
        publish(storage, key, "raw_track", "track.wav", minutes, 0)
        publish(storage, key, "master", "master.wav", minutes, 1)
        storage.sources.register(
            Source(key, f"/music/{minutes}.wav", 1, f"{minutes:064x}", "Band", f"{minutes} minutes")
        )
        instance.add_dynamic_partitions(str(tracks.name), [key])
        with served(settings, port) as address:
            return _track_figures(browser, f"{address}/tracks/{key}")


def _track_figures(browser: Browser, address: str) -> dict[str, str]:
    told: dict[str, str] = {}
    page, session = opened(browser, address)
    wait_until(page, "probe.waveform !== undefined && probe.spectrogram !== undefined")
    told["first picture: waveform"] = f"{page.evaluate('probe.waveform'):.0f} ms"
    told["first picture: spectrogram"] = f"{page.evaluate('probe.spectrogram'):.0f} ms"
    metrics = session.send("Performance.getMetrics")["metrics"]
    own = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
    told["what the page's thread worked for them"] = f"{1000 * own:.0f} ms"
    page.get_by_role("button", name="Play", exact=True).click()
    told["first sound after a click on Play"] = f"{_until_sound(page):.0f} ms"
    picture = page.get_by_role("slider", name="Position in the track")
    box = picture.bounding_box()
    assert box is not None
    sounds = []
    for place in (0.35, 0.7, 0.55):
        page.keyboard.press("Space")
        page.wait_for_timeout(500)
        page.mouse.click(box["x"] + place * box["width"], box["y"] + 20)
        page.keyboard.press("Space")
        sounds.append(_until_sound(page))
        page.wait_for_timeout(500)
    told["first sound at a place not heard yet"] = f"{statistics.median(sounds):.0f} ≤ {max(sounds):.0f} ms"
    page.wait_for_timeout(3000)
    took, least = [], []
    for number in range(_SWITCHES):
        page.keyboard.press("21"[number % 2])
        page.wait_for_timeout(1200)
        switched_ms, level = _switch(*page.evaluate("[probe.levels, probe.frame]"), from_left=number % 2 == 0)
        took.append(switched_ms)
        least.append(level)
    told["switch, from the key to the other version"] = f"{statistics.median(took):.1f} ≤ {max(took):.1f} ms"
    told["least level meanwhile"] = f"{min(least):.1f} dB"
    page.wait_for_timeout(5000)
    told["memory of the page"] = f"{_renderer_bytes() / 1e6:.0f} MB"
    page.context.close()
    return told


def wait_until(page: Page, expression: str) -> Any:
    """What it gives, as soon as that is true. The page's content policy lets it evaluate nothing by itself."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while not (told := page.evaluate(expression)):
        if time.monotonic() > deadline:
            raise TimeoutError(expression)
        time.sleep(0.1)
    return told


def _until_sound(page: Page) -> float:
    return float(wait_until(page, "probe.sound"))


def _switch(levels: list[list[float]], key_frame: int, *, from_left: bool) -> tuple[float, float]:
    """Until half of what is rendered is the other version, ms after the key; the least level of both together, dB
    against the usual one. levels: first frame, and largest of 64 frames on the left and on the right."""
    level = np.array([each for each in levels if each[0] >= key_frame - 480])
    together = level[:, 1] + level[:, 2]
    other = level[:, 2 if from_left else 1] / together.clip(1e-9)
    assert other[0] < 0.5 < other[-1], "there was no switch"
    at = level[int(np.argmax(other > 0.5)), 0]
    return 1000 * (at - key_frame) / 48_000, float(20 * np.log10(together.min() / np.median(together)))


def _renderer_bytes() -> int:
    """Resident memory of the largest renderer that this process's browser has."""
    parents, sizes = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = dict(
                line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line
            )
            if b"--type=renderer" in (entry / "cmdline").read_bytes():
                sizes[int(entry.name)] = 1024 * int(status["VmRSS"].split()[0])
            parents[int(entry.name)] = int(status["PPid"])
        except (OSError, KeyError):  # it ended meanwhile
            continue

    def ours(process: int) -> bool:
        while process not in (0, os.getpid()):
            process = parents.get(process, 0)
        return process != 0

    return max(size for process, size in sizes.items() if ours(process))


def measured_library(browser: Browser, count: int, folder: Path, port: int) -> dict[str, str]:
    with home_in(folder) as settings:
        fill(settings.home, settings, count)
        with served(settings, port) as address:
            return _library_figures(browser, address)


def _library_figures(browser: Browser, address: str) -> dict[str, str]:
    page, _ = opened(browser, address)
    page.wait_for_selector("[data-index='0'] .title-link")
    first = page.evaluate("performance.now()")
    page.get_by_label("Search tracks").click()
    waits: list[float] = []
    for key in [*(letter if letter != " " else "Space" for letter in _TYPED), *["Backspace"] * 4]:
        before = page.locator(".toolbar-total").inner_text()
        page.keyboard.press(key)
        waited = page.evaluate(_LISTED, before)
        if waited is not None:
            waits.append(float(waited))
    page.context.close()
    return {
        "library, until its tracks are there": f"{first:.0f} ms",
        "a keystroke, until the list is shown": f"{statistics.median(waits):.0f} ≤ {max(waits):.0f} ms",
        "keystrokes that changed the list": str(len(waits)),
    }


def _print(figures: dict[str, str]) -> None:
    for name, told in figures.items():
        print(f"{name:<46}{told.rjust(20)}", flush=True)


def main(words: list[str]) -> None:
    folder = Path(tempfile.gettempdir())
    numbers = [int(word) for word in words if word.isdigit()]
    port = 21_000 + os.getpid() % 5000
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium"),
            args=[*FLAGS, "--autoplay-policy=no-user-gesture-required"],
        )
        if not words or words[0] == "track":
            for index, minutes in enumerate(numbers or _MINUTES):
                print(f"\n{minutes} minutes")
                _print(measured_track(browser, minutes, folder, port + index))
        if not words or words[0] == "library":
            count = numbers[0] if numbers else _TRACKS
            print(f"\n{count:,} tracks")
            _print(measured_library(browser, count, folder, port + 9))
        browser.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1:])
