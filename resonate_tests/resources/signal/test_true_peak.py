"""True peak against scipy's resampler; against EBU Tech 3341: test_ebu_cases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.true_peak import TruePeakMeter, measure_sample_peak, measure_true_peak

RATE = 48_000


def true_peak(samples: Samples, rate: int = RATE, block: int = 1 << 18) -> float:
    meter = TruePeakMeter(rate, samples.shape[0])
    for start in range(0, samples.shape[1], block):
        meter.update(samples[:, start : start + block])
    return meter.peak()


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_music_like_noise_reads_as_scipys_resampler_has_it(rate: int) -> None:
    rng = np.random.default_rng(5)
    samples = resample_poly(rng.standard_normal((2, 20_000)), 4, 3, axis=1).astype(np.float32)
    expected = 20 * math.log10(np.abs(resample_poly(samples, 8, 1, axis=1)).max())
    assert true_peak(samples, rate) == pytest.approx(expected, abs=0.2)


def test_a_peak_in_the_very_last_sample_is_read_with_what_rings_after_it() -> None:
    samples = np.zeros((1, 1000), np.float32)
    samples[0, -2:] = 1.0  # two equal samples: sinc interpolation has 4/π between them
    assert true_peak(samples) == pytest.approx(20 * math.log10(4 / math.pi), abs=0.2)


def test_at_192_khz_the_samples_are_the_true_peak() -> None:
    samples = np.random.default_rng(6).uniform(-0.5, 0.5, (2, 5000)).astype(np.float32)
    assert true_peak(samples, 192_000) == pytest.approx(20 * math.log10(np.abs(samples).max()), abs=1e-6)


@settings(max_examples=20)
@given(block=st.integers(1, 3000), seed=st.integers(0, 99))
def test_true_peak_does_not_depend_on_blocks_and_is_at_least_the_sample_peak(block: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((2, 3000)).astype(np.float32)
    whole = true_peak(samples)
    assert true_peak(samples, block=block) == pytest.approx(whole, abs=1e-4)
    assert whole >= 20 * math.log10(np.abs(samples).max()) - 1e-6


def test_silence_has_no_peak_and_a_recording_is_read_to_its_end(tmp_path: Path) -> None:
    silence = write_samples(tmp_path / "silence.wav", np.zeros((1, 1), np.float32), RATE)
    assert measure_true_peak(silence) == measure_sample_peak(silence) == -math.inf
    samples = np.zeros((2, 600_000), np.float32)
    samples[1, -1] = -0.5
    recording = write_samples(tmp_path / "last.wav", samples, RATE)
    assert measure_sample_peak(recording) == pytest.approx(-6.0206, abs=1e-3)
    assert measure_true_peak(recording) == pytest.approx(-6.0206, abs=0.1)
