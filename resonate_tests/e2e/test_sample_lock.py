"""The page's player, rendered offline in a real browser: not one sample is lost, repeated or shifted.

Versions are ramps whose every sample tells which frame it is, so that what is rendered says what was played when.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, sync_playwright

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing import segments
from resonate_tests.programs import required

PAGE = Path(__file__).parents[2] / "page"
RATE = 48_000
SEGMENT = 5 * RATE
CROSSFADE = 240  # 5 ms
UNIT = 2.0**-23

Samples = npt.NDArray[np.float32]
Told = Mapping[str, Any]


@pytest.fixture(scope="module")
def browser_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that knows `render` of page/dev/render.ts."""
    bundle = tmp_path_factory.mktemp("player") / "render.js"
    npm = [sys.executable, str(PAGE / "npm.py")]
    if not (PAGE / "node_modules").is_dir():
        subprocess.run([*npm, "ci", "--ignore-scripts"], check=True)
    rolldown = ["rolldown", "dev/render.ts", "--file", str(bundle), "--format", "iife"]
    subprocess.run([*npm, "exec", "--", *rolldown], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=required("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=bundle)
        yield page
        browser.close()


def rendered(page: Page, signals: Sequence[Told], steps: Sequence[Told], seconds: float) -> Samples:
    """The left channel, from the first sample that sounds on."""
    samples = _rendered(page, signals, steps, seconds)
    return samples[np.argmax(samples != 0) :]


def _rendered(page: Page, signals: Sequence[Told], steps: Sequence[Told], seconds: float) -> Samples:
    text = page.evaluate(
        "([signals, steps, frames]) => render(signals, steps, frames)",
        [signals, steps, round(seconds * RATE)],
    )
    return np.frombuffer(base64.b64decode(text), np.float32)


def ramp(name: str, factor: float = 1.0, offset: int = 0, seconds: float = 20) -> dict[str, Any]:
    return {"id": name, "factor": factor, "offset": offset, "frames": round(seconds * RATE) + offset}


def frames_heard(samples: Samples) -> npt.NDArray[np.int64]:
    """Which frame of the track each sample of a ramp is."""
    heard = samples.astype(np.float64) / UNIT - 1
    assert np.array_equal(heard, np.rint(heard)), "a sample lies between two frames"
    return heard.astype(np.int64)


def test_segments_follow_each_other_without_a_seam(browser_page: Page) -> None:
    steps: list[Told] = [{"at": 0, "hear": ["a"]}, {"at": 0, "seek": 0}]
    heard = frames_heard(rendered(browser_page, [ramp("a")], steps, 12)[CROSSFADE:])
    assert heard.size > 11.5 * RATE  # two borders of segments are in it
    assert np.array_equal(np.diff(heard), np.ones(heard.size - 1))


@pytest.mark.parametrize("running_along", [True, False])
def test_a_switch_keeps_every_sample_in_its_place(browser_page: Page, running_along: bool) -> None:
    """To the same ramp upside down: before and after the crossfade each sample is the frame it should be; in it,
    the sum is a straight line from one to the other."""
    other = ["b"] if running_along else []
    steps: list[Told] = [
        {"at": 0, "hear": ["a"], "ready": other},
        {"at": 0, "seek": 0},
        {"at": round(6.3 * RATE), "hear": ["b"], "ready": ["a"]},
    ]
    whole = _rendered(browser_page, [ramp("a"), ramp("b", -1)], steps, 12)
    silent = int(np.argmax(whole != 0))
    samples = whole[silent:]
    expected = (np.arange(samples.size) + 1 + _first_frame(samples)) * UNIT
    share = samples[CROSSFADE:] / expected[CROSSFADE:]  # 1 where a sounds, −1 where b does
    moving = np.flatnonzero(np.abs(share) != 1)
    assert CROSSFADE - 2 <= moving.size <= CROSSFADE
    assert np.array_equal(moving, np.arange(moving[0], moving[0] + moving.size))
    # Asked for at the nearest block of 128; within 10 ms where it runs along, else as soon as it is decoded.
    waited = silent + moving[0] - round(6.3 * RATE / 128) * 128
    assert 0 < waited <= (0.01 if running_along else 0.1) * RATE
    line = 1 - 2 * np.arange(1, moving.size + 1) / CROSSFADE
    assert share[moving] == pytest.approx(line, abs=1e-4)
    assert np.all(share[: moving[0]] == 1) and np.all(share[moving[-1] + 1 :] == -1)


def test_what_begins_late_is_made_up_for(browser_page: Page) -> None:
    """b comes 1,000 frames later: after the switch the same frames of music sound as if nothing had happened."""
    steps: list[Told] = [
        {"at": 0, "hear": ["a"], "ready": ["b"]},
        {"at": 0, "seek": 0},
        {"at": 4 * RATE, "hear": ["b"], "ready": ["a"]},
    ]
    samples = rendered(browser_page, [ramp("a"), ramp("b", 1, offset=1000)], steps, 9)[CROSSFADE:]
    expected = samples[0] + np.arange(samples.size) * UNIT
    assert np.abs(samples - expected).max() <= UNIT / 8  # a crossfade of the same with the same: rounding


def test_several_versions_sound_on_one_grid(browser_page: Page) -> None:
    steps: list[Told] = [{"at": 0, "hear": ["a", "b"]}, {"at": 0, "seek": 3 * RATE}]
    samples = rendered(browser_page, [ramp("a"), ramp("b", 2)], steps, 5)[CROSSFADE:]
    assert np.array_equal(np.diff(samples.astype(np.float64)), np.full(samples.size - 1, 3 * UNIT))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (SEGMENT - 4_801, SEGMENT + 4_802),  # over a border of segments
        (100_001, 100_481),  # 10 ms
        (SEGMENT, 2 * SEGMENT),
    ],
)
def test_a_loop_repeats_exactly_its_frames(browser_page: Page, start: int, end: int) -> None:
    steps: list[Told] = [{"at": 0, "hear": ["a"], "loop": [start, end]}, {"at": 0, "seek": start}]
    heard = frames_heard(rendered(browser_page, [ramp("a")], steps, 8)[CROSSFADE:])
    first = heard[0] - start
    assert np.array_equal(heard, start + (first + np.arange(heard.size)) % (end - start))


def test_a_loop_that_is_set_while_it_plays_takes_hold_without_a_gap(browser_page: Page) -> None:
    start, end = 2 * RATE, 3 * RATE
    steps: list[Told] = [
        {"at": 0, "hear": ["a"]},
        {"at": 0, "seek": 0},
        {"at": round(2.5 * RATE), "loop": [start, end]},
    ]
    heard = frames_heard(rendered(browser_page, [ramp("a")], steps, 6)[CROSSFADE:])
    steps_between = np.diff(heard)
    jumps = np.flatnonzero(steps_between != 1)
    assert np.array_equal(heard[jumps], np.full(jumps.size, end - 1))
    assert np.array_equal(heard[jumps + 1], np.full(jumps.size, start))
    assert jumps.size == 3  # at 3, 4 and 5 s


def test_a_listening_test_switches_alike_whether_something_changes_or_not(browser_page: Page) -> None:
    """Both go through the same short silence, so that the switch itself does not tell what X is."""
    envelopes = []
    for target in ("a", "b"):
        steps: list[Told] = [
            {"at": 0, "hear": ["a"], "ready": ["a", "b"]},
            {"at": 0, "seek": 0},
            {"at": 2 * RATE, "hear": [target], "ready": ["a", "b"], "dip": True},
        ]
        samples = rendered(browser_page, [ramp("a"), ramp("b", -1)], steps, 4)[CROSSFADE:]
        envelopes.append(np.abs(samples))
    assert (envelopes[0][RATE:] == 0).any()
    assert np.array_equal(envelopes[0], envelopes[1])


def test_what_the_server_encodes_lies_on_the_grid(browser_page: Page, tmp_path: Path) -> None:
    """The browser's Opus decoder, too, gives each sample its place, at borders of segments as within them."""
    rng = np.random.default_rng(1)
    noise = np.convolve(rng.normal(0, 0.1, 11 * RATE), np.ones(6) / 6, "same").astype(np.float32)
    recording = write_samples(tmp_path / "noise.wav", np.stack([noise, noise]), RATE)
    sent = [segments.encode_segment(recording, number) for number in range(3)]
    signal = ramp("a", seconds=11) | {
        "opus": [
            {
                "data": base64.b64encode(one.data).decode(),
                "lead": segments.LEAD_FRAMES,
                "frames": one.frames,
            }
            for one in sent
        ]
    }
    samples = _rendered(browser_page, [signal], [{"at": 0, "hear": ["a"]}, {"at": 0, "seek": 0}], 11.5)
    lags = []
    for place in (1.0, 4.99, 5.0, 9.99, 10.0, 10.5):
        original = noise[round(place * RATE) :][:4096]
        heard = samples[round(place * RATE) :][: 4096 + 2 * RATE // 10]
        likeness = np.correlate(heard, original, "valid")
        lags.append(int(np.argmax(likeness)))
        found = heard[lags[-1] :][:4096]
        assert np.corrcoef(found, original)[0, 1] > 0.95
    assert set(lags) == {960}  # of the clock, when it begins: 20 ms


def _first_frame(samples: Samples) -> int:
    """Of the track, at the first sample: a ramp that the gate has let in whole tells it."""
    return round(float(samples[CROSSFADE]) / UNIT) - 1 - CROSSFADE
