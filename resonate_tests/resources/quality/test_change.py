"""Which way, and by how much, a candidate is off: what its mend is made from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.quality.comparison import compare, listen
from resonate_resources.quality.report import Finding, as_json, findings
from resonate_resources.recordings.recording import Samples, write_samples

RATE = 32_000
SECONDS = 16


def strokes(rt60_s: float = 0.8, side: float = 0.5) -> Samples:
    """Bursts of noise, mid and side, that die away within rt60_s by 60 dB; a second to two apart."""
    rng = np.random.default_rng(0)
    starts = np.cumsum(rng.uniform(1.0, 2.0, SECONDS))
    time = np.arange(SECONDS * RATE) / RATE
    since = time - np.append(starts[0], starts)[np.searchsorted(starts, time)]
    since = np.where(since < 0, np.inf, since)
    mid, beside = rng.standard_normal((2, time.size)) * 0.1 * 10 ** (-3 * since / rt60_s)
    return np.stack((mid + side * beside, mid - side * beside)).astype(np.float32)


def found(folder: Path, candidate: Samples) -> dict[str, Finding]:
    heard = listen(write_samples(folder / "reference.wav", strokes(), RATE))
    comparison = compare(heard, write_samples(folder / "candidate.wav", candidate, RATE))
    told = findings(comparison)
    report = json.loads(json.dumps(as_json(comparison, told), allow_nan=False))["dimensions"]
    for each in told:
        assert report[each.dimension]["change"] == (
            None if each.change is None else pytest.approx(each.change, abs=0.001)
        )
    return {each.dimension: each for each in told}


@pytest.mark.parametrize("late_ms", [-90, 40, 90])
def test_what_comes_late_has_come_by_that_much(tmp_path: Path, late_ms: int) -> None:
    frames = late_ms * RATE // 1000
    told = found(tmp_path, np.roll(strokes(), frames, axis=1))
    assert told["bpm_phase"].change == pytest.approx(late_ms, abs=5)  # half of what onsets are heard to


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wider_side_is_wider_by_its_gain(tmp_path: Path, factor: float) -> None:
    told = found(tmp_path, strokes(side=0.5 * factor))
    assert told["stereo_width"].change == pytest.approx(20 * np.log10(factor), abs=0.1)


@pytest.mark.parametrize("octaves", [-1, 1])
def test_a_decay_twice_as_long_is_an_octave_longer(tmp_path: Path, octaves: int) -> None:
    told = found(tmp_path, strokes(rt60_s=0.8 * 2**octaves))
    assert told["reverb"].change == pytest.approx(octaves, abs=0.25)


def test_of_equals_nothing_has_changed_and_of_the_rest_no_change_is_told(tmp_path: Path) -> None:
    changes = {name: each.change for name, each in found(tmp_path, strokes()).items()}
    assert {name: change for name, change in changes.items() if change is not None} == {
        "stereo_width": 0,
        "reverb": 0,
        "bpm_phase": 0,
    }


def test_of_silence_no_change_is_told(tmp_path: Path) -> None:
    told = found(tmp_path, np.zeros((2, SECONDS * RATE), np.float32))
    assert all(each.change is None for each in told.values())
