"""The limiter on arrays: its promise holds for any signal, and away from peaks it is not there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from resonate_resources.mastering.levelling import Target
from resonate_resources.mastering.limiter import TruePeakLimiter
from resonate_resources.recordings.recording import Samples

RATE = 48_000
LIMITER_CEILING_DBTP = Target(ceiling_dbtp=-1.0).limiter_dbtp


def limited(samples: Samples, block: int = 1 << 18) -> Samples:
    limiter = TruePeakLimiter(RATE, samples.shape[0], LIMITER_CEILING_DBTP)
    parts = [limiter.process(samples[:, at : at + block]) for at in range(0, samples.shape[1], block)]
    return np.concatenate([*parts, limiter.flush()], axis=1)


def true_peak(samples: Samples) -> float:
    return 20 * math.log10(np.abs(resample_poly(samples, 4, 1, axis=1)).max())


@settings(max_examples=25)
@example(seed=555, gain_db=0.0, frames=953, clicks=0)  # 0.11 dB over by this meter
@given(
    seed=st.integers(0, 1000),
    gain_db=st.floats(-12, 36),
    frames=st.integers(1, 20_000),
    clicks=st.integers(0, 5),
)
def test_true_peak_stays_under_minus_1_dbtp_whatever_comes(
    seed: int, gain_db: float, frames: int, clicks: int
) -> None:
    rng = np.random.default_rng(seed)
    # Band-limited to 18 kHz, as music is; clicks anywhere, also in the first and last frame.
    samples = resample_poly(rng.uniform(-1, 1, (2, -(-frames * 3 // 4))), 4, 3, axis=1)[:, :frames]
    samples[0, rng.integers(0, frames, clicks)] = 1.0
    samples[1, [0, -1]] = 1.0
    output = limited((samples * 10 ** (gain_db / 20)).astype(np.float32))
    assert output.shape == samples.shape
    assert true_peak(output) <= -1.0


def test_under_the_ceiling_every_sample_passes_unchanged() -> None:
    samples = np.random.default_rng(1).uniform(-0.3, 0.3, (2, 50_000)).astype(np.float32)
    np.testing.assert_array_equal(limited(samples, block=1000), samples)


@settings(max_examples=10)
@given(block=st.integers(1, 9000))
def test_the_result_does_not_depend_on_blocks(block: int) -> None:
    samples = np.random.default_rng(2).standard_normal((2, 9000)).astype(np.float32)
    np.testing.assert_allclose(limited(samples, block), limited(samples), atol=1e-5)


def burst_gain() -> np.ndarray:
    """Gain over time, heard by a quiet tone in the other channel, about a burst 12 dB over full scale."""
    tone = 0.01 * np.ones(RATE)
    burst = np.zeros(RATE)
    burst[20_000:20_040] = 4 * np.hanning(40)
    return np.asarray(limited(np.stack([burst, tone]).astype(np.float32))[1] / 0.01)


def test_one_gain_holds_for_all_channels_and_is_back_half_a_second_later() -> None:
    gain = burst_gain()
    assert 20 * math.log10(gain[20_000:20_040].min()) == pytest.approx(LIMITER_CEILING_DBTP - 12.04, abs=0.2)
    assert gain[: 20_000 - 200].min() == pytest.approx(1)
    assert 20 * math.log10(gain[20_000 + RATE // 2]) > -0.05


def test_gain_never_jumps() -> None:
    # A sudden step is a click. Spread over the 3 ms of look-ahead, 13 dB are at most 2 × 13 ÷ 144 dB a sample.
    steps_db = np.abs(np.diff(20 * np.log10(burst_gain())))
    assert steps_db.max() < 0.2
