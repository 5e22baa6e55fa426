"""Parity with libebur128, the peer that players and encoders use."""

from __future__ import annotations

import numpy as np
import pyebur128  # type: ignore[import-untyped]
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.loudness import LoudnessMeter


def music_like(sample_rate: int, channels: int) -> Samples:
    """Noise whose level wanders over 30 dB: gates and range have something to do."""
    rng = np.random.default_rng(3)
    frames = 25 * sample_rate
    level_db = np.interp(np.arange(frames), np.linspace(0, frames, 12), rng.uniform(-45, -15, 12))
    return (rng.standard_normal((channels, frames)) * 10 ** (level_db / 20)).astype(np.float32)


@pytest.mark.parametrize(
    ("sample_rate", "channels"),
    [(8_000, 1), (22_050, 2), (44_100, 2), (48_000, 5), (96_000, 2), (192_000, 1)],
)
def test_loudness_and_range_are_those_of_libebur128(sample_rate: int, channels: int) -> None:
    samples = music_like(sample_rate, channels)
    state = pyebur128.R128State(
        channels, sample_rate, pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_LRA
    )
    state.add_frames(np.ascontiguousarray(samples.T).ravel(), samples.shape[1])
    meter = LoudnessMeter(sample_rate, channels)
    meter.update(samples)
    assert meter.integrated() == pytest.approx(pyebur128.get_loudness_global(state), abs=0.01)
    # EBU Tech 3342 leaves ±1 LU; libebur128 takes a short-term value per second, we take ten.
    assert meter.loudness_range() == pytest.approx(pyebur128.get_loudness_range(state), abs=1.0)
