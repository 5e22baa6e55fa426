"""How late a version is, to the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing.alignment import offset_seconds
from resonate_tests.studio.hearing.test_segments import music

_RATE = 44_100
_SAMPLE = 0.5 / 48_000  # half of one on the grid, and rounding


@pytest.mark.parametrize("frames", [0, 1, 576, 1105, -313, 19_000])
def test_a_version_that_was_moved_is_found_to_the_sample(tmp_path: Path, frames: int) -> None:
    samples = music(20, _RATE)
    moved = np.pad(samples, ((0, 0), (frames, 0))) if frames > 0 else samples[:, -frames:]
    a = write_samples(tmp_path / "a.wav", samples, _RATE)
    b = write_samples(tmp_path / "b.wav", 0.4 * moved, _RATE)
    assert offset_seconds(a, b) == pytest.approx(frames / _RATE, abs=_SAMPLE * 1.01)


@pytest.mark.parametrize("rate", [48_000, 96_000, 22_050])
def test_a_master_at_another_rate_begins_when_the_original_does(tmp_path: Path, rate: int) -> None:
    samples = music(20, _RATE)
    other = soxr.resample(samples.T, _RATE, rate, "VHQ").T.astype(np.float32)
    a, b = write_samples(tmp_path / "a.wav", samples, _RATE), write_samples(tmp_path / "b.wav", other, rate)
    assert offset_seconds(a, b) == 0.0


def test_a_version_that_has_nothing_in_common_has_no_offset(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    a = write_samples(tmp_path / "a.wav", music(10, _RATE), _RATE)
    b = write_samples(tmp_path / "b.wav", rng.standard_normal((2, 10 * _RATE)).astype(np.float32), _RATE)
    silence = write_samples(tmp_path / "c.wav", np.zeros((2, 10 * _RATE), np.float32), _RATE)
    assert [offset_seconds(a, b), offset_seconds(a, silence), offset_seconds(silence, silence)] == [0.0] * 3


def test_less_than_a_span_is_enough(tmp_path: Path) -> None:
    samples = music(1.0, _RATE)
    a = write_samples(tmp_path / "a.wav", samples, _RATE)
    b = write_samples(tmp_path / "b.wav", np.pad(samples, ((0, 0), (441, 0))), _RATE)
    assert offset_seconds(a, b) == pytest.approx(0.01, abs=_SAMPLE)
