"""Compression against the static curve of theory, and against pedalboard's own where that is what it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pedalboard
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.compression import Compression, LinkedCompressor, compressed

RATE = 48_000
STEP = RATE // 2


def whole(samples: Samples, settings: Compression, **more: float) -> Samples:
    return np.concatenate(list(compressed(iter([samples]), settings, RATE, **more)), axis=1)


def step(level_db: float, before_db: float = -60.0, channels: int = 1) -> Samples:
    samples = np.full((channels, RATE), 10 ** (before_db / 20), np.float32)
    samples[:, STEP:] = 10 ** (level_db / 20)
    return samples


def decibels(made: Samples, of: Samples) -> Samples:
    return 20 * np.log10(made / of)


@pytest.mark.parametrize("look_ahead_ms", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("ratio", [1.5, 4.0, 20.0])
def test_gain_is_down_when_the_peak_comes_and_never_further(look_ahead_ms: float, ratio: float) -> None:
    samples = step(-4.0)
    gain = decibels(whole(samples, Compression(-24.0, ratio, look_ahead_ms, 80.0, look_ahead_ms)), samples)[0]
    static = -20.0 * (1 - 1 / ratio)  # the level is 20 dB over the threshold, in and after it 20 / ratio
    assert gain[STEP] == pytest.approx(static, abs=0.5)
    assert gain.min() >= static - 0.05
    ahead = round(look_ahead_ms * RATE / 1000)
    assert np.abs(gain[: STEP - ahead]).max() < 1e-3
    assert gain[-1] == pytest.approx(static, abs=0.05)


def test_a_single_sample_is_caught_wherever_it_stands() -> None:
    for at in (0, 100, RATE - 1):
        samples = np.full((2, RATE), 0.01, np.float32)
        samples[1, at] = 1.0
        made = whole(samples, Compression(-20.0, 4.0, 2.0, 80.0, 2.0))
        assert 20 * np.log10(made[1, at]) == pytest.approx(-15.0, abs=0.5)


def test_without_look_ahead_it_is_pedalboards_compressor() -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, (1, 40_000)).astype(np.float32)
    settings = Compression(-20.0, 3.0, 10.0, 100.0)
    # pedalboard's detector hears the same magnitudes, whatever their sign.
    peer = pedalboard.Compressor(-20.0, 3.0, 10.0, 100.0).process(noise, RATE)
    np.testing.assert_allclose(whole(noise, settings), peer, rtol=1e-4, atol=1e-6)


def test_channels_keep_their_image_and_polarity() -> None:
    noise = np.random.default_rng(2).uniform(-1, 1, (1, 30_000)).astype(np.float32)
    samples = np.concatenate([noise, -0.25 * noise, 0 * noise])
    made = whole(samples, Compression(-30.0, 4.0, 2.0, 50.0, 2.0))
    np.testing.assert_allclose(made[1], -0.25 * made[0], rtol=1e-5)
    assert not made[2].any()
    assert np.abs(made[0]).max() < 0.5


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.sampled_from([0.0, 1.0, 3.0]))
def test_blocks_of_any_size_make_the_same(sizes: list[int], look_ahead_ms: float) -> None:
    total = sum(sizes)
    samples = np.random.default_rng(3).uniform(-1, 1, (2, total)).astype(np.float32)
    settings = Compression(-20.0, 4.0, 2.0, 50.0, look_ahead_ms)

    def blocks() -> Iterator[Samples]:
        at = 0
        for size in sizes:
            yield samples[:, at : at + size]
            at += size

    made = np.concatenate(list(compressed(blocks(), settings, RATE)), axis=1)
    assert made.shape == samples.shape
    np.testing.assert_allclose(made, whole(samples, settings), rtol=1e-4, atol=1e-7)


def test_silence_stays_silence_and_nothing_stays_nothing() -> None:
    settings = Compression(-20.0, 4.0, 2.0, 50.0, 2.0)
    assert not whole(np.zeros((2, 5000), np.float32), settings).any()
    assert list(compressed(iter([]), settings, RATE)) == []
    with pytest.raises(ValueError, match="nothing was given"):
        LinkedCompressor(settings, RATE).flush()


def test_a_part_of_it_moves_a_part_and_gain_falls_no_further_than_is_allowed() -> None:
    samples = step(-4.0)
    settings = Compression(-24.0, 4.0, 2.0, 80.0, 2.0)
    assert whole(samples, settings, part=0.0)[0, -1] == samples[0, -1]
    full, half = (whole(samples, settings, part=part)[0, -1] / samples[0, -1] for part in (1.0, 0.5))
    assert 1 - half == pytest.approx((1 - full) / 2, rel=1e-4)
    bounded = decibels(whole(samples, settings, most_db=6.0), samples)
    assert bounded.min() == pytest.approx(-6.0, abs=1e-3)  # 15 dB without the bound
