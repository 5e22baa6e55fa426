"""SI-SDR against closed forms and fast_bss_eval."""

from __future__ import annotations

import math
from pathlib import Path

import fast_bss_eval  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import AudioError, Samples, write_samples
from resonate_resources.signal.si_sdr import measure_si_sdr, si_sdr


def noise(seed: int, channels: int = 1, frames: int = 8000) -> Samples:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


@pytest.mark.parametrize("level_db", [-60.0, -20.0, 0.0, 13.0])
def test_an_orthogonal_disturbance_scores_the_ratio_of_the_two(level_db: float) -> None:
    phase = 2 * np.pi * 50 * np.arange(8000) / 8000
    reference = np.sin(phase)[None].astype(np.float32)
    estimate = 0.7 * (reference + 10 ** (-level_db / 20) * np.cos(phase)[None]).astype(np.float32)
    assert si_sdr(estimate, reference) == pytest.approx(level_db, abs=0.01)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 1000),
    share=st.floats(0.01, 10),
    gain=st.floats(0.01, 100),
    offset=st.floats(-1, 1),
)
def test_scores_are_those_of_fast_bss_eval_whatever_the_gain_and_offset(
    seed: int, share: float, gain: float, offset: float
) -> None:
    reference = noise(seed)
    estimate = np.float32(gain) * (reference + np.float32(share) * noise(seed + 1)) + np.float32(offset)
    expected = fast_bss_eval.si_sdr(reference.astype(np.float64), estimate.astype(np.float64), zero_mean=True)
    assert si_sdr(estimate, reference) == pytest.approx(float(np.ravel(expected)[0]), abs=0.01)


def test_channels_out_of_balance_are_marked_down() -> None:
    reference = noise(1, channels=2)
    estimate = reference * np.array([[1.0], [0.5]], np.float32)
    # α = 0.75 for channels of equal power: target 2·0.75², residual 2·0.25².
    assert si_sdr(estimate, reference) == pytest.approx(20 * math.log10(3), abs=0.1)


def test_high_scores_are_not_drowned_in_rounding() -> None:
    phase = 2 * np.pi * 50 * np.arange(1 << 16) / (1 << 16)
    reference = (0.5 + 0.25 * np.sin(phase))[None].astype(np.float32)
    estimate = reference + np.float32(2**-18) * np.sign(np.cos(phase))[None].astype(np.float32)
    expected = 20 * math.log10(0.25 / math.sqrt(2) * 2**18)
    assert si_sdr(estimate, reference) == pytest.approx(expected, abs=0.05)


def test_what_equals_its_reference_is_perfect_and_silence_is_defined() -> None:
    sound, silence, constant = noise(2), np.zeros((1, 8000), np.float32), np.full((1, 8000), 0.3, np.float32)
    assert si_sdr(sound, sound) == math.inf
    assert si_sdr(silence, sound) == si_sdr(constant, sound) == -math.inf
    assert si_sdr(sound, silence) == si_sdr(sound, constant) == -math.inf
    assert si_sdr(silence, silence) == si_sdr(constant, silence) == math.inf


def test_recordings_read_in_blocks_score_as_arrays_do(tmp_path: Path) -> None:
    reference = noise(3, channels=2, frames=600_000)
    estimate = reference + np.float32(0.1) * noise(4, channels=2, frames=600_000)
    score = measure_si_sdr(
        write_samples(tmp_path / "estimate.wav", estimate, 44_100),
        write_samples(tmp_path / "reference.wav", reference, 44_100),
    )
    assert score == pytest.approx(si_sdr(estimate, reference), abs=1e-6)
    assert score == pytest.approx(20, abs=0.1)


def test_what_differs_in_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        si_sdr(noise(1), noise(1, channels=2))
    short = write_samples(tmp_path / "short.wav", noise(1, frames=10), 44_100)
    long = write_samples(tmp_path / "long.wav", noise(1, frames=11), 44_100)
    with pytest.raises(AudioError, match=r"short\.wav: rate, channels or length differ from long\.wav"):
        measure_si_sdr(short, long)
