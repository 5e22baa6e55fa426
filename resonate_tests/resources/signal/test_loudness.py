"""Loudness against the table of BS.1770 and pyloudnorm; against EBU Tech 3341 and 3342: test_ebu_cases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.loudness import LoudnessMeter, k_weighting, measure_loudness
from resonate_tests.resources.signal.ebu_cases import RATE, tone


def metered(samples: Samples, rate: int = RATE) -> LoudnessMeter:
    meter = LoudnessMeter(rate, samples.shape[0])
    meter.update(samples)
    return meter


def test_filters_at_48_khz_are_the_tables_of_bs_1770() -> None:
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    np.testing.assert_allclose(k_weighting(48_000), [shelf, high_pass], atol=1e-8)


def test_the_lfe_of_5_1_does_not_count() -> None:
    five = tone([(0, 20)], (-28, -28, -24, -30, -30))
    lfe = np.ones_like(five[:1])
    assert metered(np.concatenate([five[:3], lfe, five[3:]])).integrated() == pytest.approx(-23, abs=0.1)


def test_integrated_loudness_is_pyloudnorms_within_a_tenth() -> None:
    rng = np.random.default_rng(1)
    samples = np.cumsum(rng.standard_normal((2, 10 * RATE)), axis=1)
    samples = (samples - samples.mean(axis=1, keepdims=True)).astype(np.float32) * np.float32(1e-3)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(samples.T.astype(np.float64))
    assert metered(samples).integrated() == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000, 192_000])
def test_a_tone_at_997_hz_reads_three_lu_under_full_scale_at_any_rate(rate: int) -> None:
    wave = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)[None].astype(np.float32)
    assert metered(wave, rate).integrated() == pytest.approx(-3.01, abs=0.1)  # BS.1770-5, annex 1


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(1, 30_000), min_size=1, max_size=8))
def test_loudness_does_not_depend_on_how_audio_is_cut_into_blocks(cuts: list[int]) -> None:
    samples = np.random.default_rng(2).standard_normal((2, 40_000)).astype(np.float32) * np.float32(0.1)
    whole, blocks = metered(samples, 8_000), LoudnessMeter(8_000, 2)
    for block in np.split(samples, sorted(set(cuts)), axis=1):
        blocks.update(block)
    assert blocks.integrated() == pytest.approx(whole.integrated(), abs=1e-9)
    assert blocks.max_short_term() == pytest.approx(whole.max_short_term(), abs=1e-9)


@pytest.mark.parametrize("frames", [1, RATE // 10, 4 * RATE // 10 - 1])
def test_what_is_shorter_than_400_ms_has_no_loudness(frames: int) -> None:
    meter = metered(np.ones((1, frames), np.float32))
    assert meter.integrated() == -math.inf
    assert meter.loudness_range() == 0


def test_silence_is_minus_infinity(tmp_path: Path) -> None:
    loudness = measure_loudness(
        write_samples(tmp_path / "silence.wav", np.zeros((2, RATE), np.float32), RATE)
    )
    assert loudness.integrated_lufs == loudness.max_momentary_lufs == -math.inf
    assert loudness.range_lu == 0


@pytest.mark.parametrize(
    ("channels", "weights"),
    [
        # ITU-R BS.1770-5, annex 3, table 4: 1.41 from 60° to 120° at the listener's height; the LFE is left out.
        (6, [1, 1, 1, 0, 1.41, 1.41]),
        (7, [1, 1, 1, 0, 1, 1.41, 1.41]),
        (8, [1, 1, 1, 0, 1, 1, 1.41, 1.41]),
        (10, [1, 1, 1, 0, 1.41, 1.41, 1, 1, 1, 1]),
        (12, [1, 1, 1, 0, 1, 1, 1.41, 1.41, 1, 1, 1, 1]),
    ],
)
def test_every_loudspeaker_weighs_what_the_standard_says(channels: int, weights: list[float]) -> None:
    """A sine of 997 Hz and −20 dBFS reads −23.01 LUFS in one channel of weight 1 (BS.1770-5, annex 1)."""
    wave = 0.1 * np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE)
    for channel, weight in enumerate(weights):
        samples = np.zeros((channels, RATE), np.float32)
        samples[channel] = wave
        expected = -23.01 + 10 * math.log10(weight) if weight else -math.inf
        assert metered(samples).integrated() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("channels", [9, 11, 16])
def test_channels_that_the_standard_has_no_layout_for_are_refused(channels: int) -> None:
    with pytest.raises(ValueError, match=f"not {channels}"):
        LoudnessMeter(RATE, channels)
