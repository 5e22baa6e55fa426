"""Filters beside their wanted curve, as scipy computes the response of taps; and what they leave where it was."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import freqz

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.blocks import in_blocks, with_context, within
from resonate_resources.signal.linear_phase import convolved, filtered, is_loop, linear_phase
from resonate_resources.signal.octaves import OCTAVES_HZ

RATE = 44_100
SMILE = (0.0, 3.0, 2.0, 0.0, -2.0, -3.0, -1.0, 2.0, 4.0, 4.0)


def recording(folder: Path, samples: Samples, rate: int = RATE) -> Recording:
    return write_samples(folder / "recording.wav", samples.astype(np.float32), rate)


def through(made: Recording, gains_db: tuple[float, ...]) -> Samples:
    return np.concatenate(list(filtered(made, linear_phase(gains_db, made.sample_rate))), axis=1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_gain_goes_through_what_is_wished_at_each_octave(rate: int) -> None:
    taps = linear_phase(SMILE, rate)
    _, response = freqz(taps, worN=np.array(OCTAVES_HZ[1:]), fs=rate)
    off_db = np.abs(20 * np.log10(np.abs(response)) - SMILE[1:])
    assert off_db[0] < 0.35  # 63 Hz: 90 ms round off the corners of the curve there
    assert off_db[1:].max() < 0.05
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
    assert len(taps) % 2


def test_an_even_gain_is_one_tap() -> None:
    np.testing.assert_allclose(linear_phase((-6.0,) * 10, RATE), [10 ** (-6 / 20)])


@pytest.mark.parametrize(("low_gain", "under_db"), [(0.0, -40.0), (0.5, -5.9)])
def test_what_lies_under_an_edge_goes_and_what_is_above_stays(low_gain: float, under_db: float) -> None:
    taps = linear_phase((0.0,) * 10, RATE, 120, low_gain)
    _, response = freqz(taps, worN=np.array([40.0, 80.0, 160.0, 1000.0]), fs=RATE)
    gains_db = 20 * np.log10(np.abs(response))
    assert gains_db[:2].max() < under_db
    assert np.abs(gains_db[2:]).max() < 0.1


def test_tones_keep_their_phase(tmp_path: Path) -> None:
    time = np.arange(2 * RATE) / RATE
    for hertz, gain_db in zip(OCTAVES_HZ[2:-1], SMILE[2:-1], strict=True):
        wave = np.sin(2 * np.pi * hertz * time)[None]
        made = through(recording(tmp_path, wave), SMILE)[0, RATE // 2 : -RATE // 2]
        wanted = 10 ** (gain_db / 20) * wave[0, RATE // 2 : -RATE // 2]
        assert np.abs(made - wanted).max() < 0.04 * np.abs(wanted).max()


def test_parts_that_are_filtered_alike_sum_to_their_filtered_sum(tmp_path: Path) -> None:
    one, two = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 2, 3 * RATE))
    parts = through(recording(tmp_path, one), SMILE) + through(recording(tmp_path, two), SMILE)
    whole = through(recording(tmp_path, one + two), SMILE)
    assert 20 * np.log10(np.std(parts - whole) / np.std(whole)) < -110


@pytest.mark.parametrize("frames", [0, 1, 100, 5000])
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_any_length_keeps_its_length(frames: int, rate: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, (6, frames))
    made = recording(tmp_path, samples, rate)
    blocks = [np.zeros((6, 0), np.float32), *filtered(made, linear_phase(SMILE, rate))]
    assert np.concatenate(blocks, axis=1).shape == (6, frames)


def test_a_loop_stays_a_loop_and_what_is_none_fades_into_silence(tmp_path: Path) -> None:
    time = np.arange(RATE) / RATE
    loop = recording(tmp_path, np.sin(2 * np.pi * 100 * time)[None])
    assert is_loop(loop)
    made = through(loop, SMILE)[0]
    assert abs(made[0] - made[-1]) <= 1.01 * np.abs(np.diff(made)).max()
    np.testing.assert_allclose(
        made, through(recording(tmp_path, np.tile(loop.read(), 3)), SMILE)[0, RATE:-RATE], atol=1e-5
    )
    song = recording(tmp_path, np.cos(2 * np.pi * 100.3 * time)[None] * np.linspace(1, 0.5, RATE))
    assert not is_loop(song)
    assert not is_loop(recording(tmp_path, np.zeros((2, RATE))))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=10), st.integers(1, 300), st.integers(0, 200))
def test_streams_hold_the_same_audio_however_they_are_cut(sizes: list[int], size: int, context: int) -> None:
    samples = np.arange(2 * sum(sizes), dtype=np.float32).reshape(2, -1) + 1
    edges = np.cumsum([0, *sizes])
    blocks = [samples[:, start:stop] for start, stop in pairwise(edges)]
    even = list(in_blocks(iter(blocks), size))
    assert all(block.shape[1] == size for block in even[:-1])
    nothing = samples[:, :0]
    np.testing.assert_array_equal(np.concatenate([nothing, *even], axis=1), samples)
    parts = list(within(iter(blocks), 7, 150))
    np.testing.assert_array_equal(np.concatenate([nothing, *parts], axis=1), samples[:, 7:150])
    padded = np.pad(samples, ((0, 0), (context, context)))
    at = 0
    for held in with_context(iter(blocks), context):
        np.testing.assert_array_equal(held, padded[:, at : at + held.shape[1]])
        at += held.shape[1] - 2 * context
    assert at == samples.shape[1]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=6))
def test_blocks_of_any_size_are_filtered_alike(sizes: list[int]) -> None:
    taps = linear_phase(SMILE, 8000)
    samples = np.random.default_rng(3).uniform(-1, 1, (2, sum(sizes))).astype(np.float32)
    edges = np.cumsum([0, *sizes])
    blocks = (samples[:, start:stop] for start, stop in pairwise(edges))
    made = np.concatenate(list(convolved(blocks, [taps, np.ones(1)])), axis=1)
    np.testing.assert_allclose(
        made[0], np.convolve(samples[0], taps, "full")[len(taps) // 2 :][: sum(sizes)], atol=1e-5
    )
    np.testing.assert_array_equal(made[1], samples[1])
