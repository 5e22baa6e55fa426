"""Bands beside what they were split from, and beside the response of taps as scipy computes it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import freqz

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.crossover import low_pass, split

RATE = 44_100
EDGES = (160.0, 2500.0)


def bands(samples: Samples, rate: int = RATE, cuts: tuple[int, ...] = ()) -> tuple[Samples, Samples]:
    """What went in, as it came back, and its bands."""
    parts = (samples[:, start:stop] for start, stop in pairwise((0, *cuts, samples.shape[1])))
    wholes, made = zip(*split(parts, EDGES, rate), strict=True)
    return np.concatenate(wholes, axis=1), np.concatenate(made, axis=2)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("frames", [1, 100, 3968, 50_000])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_bands_sum_to_what_they_were_split_from(channels: int, frames: int, rate: int) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (channels, frames)).astype(np.float32)
    whole, made = bands(samples, rate)
    np.testing.assert_array_equal(whole, samples)
    assert made.shape == (3, channels, frames)
    assert np.abs(made.sum(axis=0) - samples).max() < 5e-7  # a few steps of float32 at full scale


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=6))
def test_cuts_of_the_stream_change_nothing(sizes: list[int]) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (2, sum(sizes))).astype(np.float32)
    whole, made = bands(samples, cuts=tuple(np.cumsum(sizes)[:-1].tolist()))
    np.testing.assert_array_equal(whole, samples)
    np.testing.assert_allclose(made, bands(samples)[1], atol=1e-6)


@pytest.mark.parametrize(
    ("hertz", "band"), [(50, 0), (110, 0), (230, 1), (1000, 1), (1700, 1), (3600, 2), (9000, 2)]
)
def test_a_tone_half_an_octave_from_an_edge_is_in_one_band(hertz: int, band: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)[None].astype(np.float32)
    middle = slice(RATE // 4, -RATE // 4)
    made = bands(tone)[1][:, 0, middle]
    levels_db = 20 * np.log10(made.std(axis=1) / tone[0, middle].std())
    assert levels_db[band] == pytest.approx(0, abs=0.1)
    assert np.delete(levels_db, band).max() < -35
    assert np.abs(made[band] - tone[0, middle]).max() < 0.02  # in phase


def test_an_edge_is_where_half_of_the_amplitude_passes() -> None:
    for edge in EDGES:
        taps = low_pass(edge, RATE)
        np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
        _, response = freqz(taps, worN=np.array([edge]), fs=RATE)
        assert 20 * np.log10(np.abs(response[0])) == pytest.approx(-6.02, abs=0.3)


def test_a_silent_channel_has_silent_bands() -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, (2, 20_000)).astype(np.float32)
    samples[1] = 0
    assert not bands(samples)[1][:, 1].any()
