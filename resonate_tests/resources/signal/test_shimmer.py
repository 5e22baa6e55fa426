"""The shimmer index of sounds whose short, narrow peaks are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.signal.shimmer import measure_shimmer, spectrum_size

RATE = 44_100
Audio = npt.NDArray[np.float64]


def index_of(samples: Audio, rate: int = RATE) -> float:
    size = spectrum_size(rate)
    parts = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 4]
    return measure_shimmer(np.square(np.abs(np.fft.rfft(parts * np.hanning(size)))), rate).index


def noise(rate: int = RATE, seconds: float = 6.0) -> Audio:
    return np.random.default_rng(0).standard_normal(round(seconds * rate))


def bursts(seconds: float, length: float, rate: int = RATE) -> Audio:
    """Eight tones a second, each alone, of that many seconds."""
    rng = np.random.default_rng(1)
    made = np.zeros(round(seconds * rate))
    size = round(length * rate)
    for at in np.arange(0.1, seconds - length - 0.1, 0.125):
        first = round(at * rate)
        wave = np.sin(2 * np.pi * rng.uniform(6300, 9700) * np.arange(size) / rate)
        made[first : first + size] = np.hanning(size) * wave
    return made


def share_of(part: Audio, whole: Audio, rate: int = RATE) -> float:
    """Of the energy between 6 and 10 kHz."""
    hertz = np.fft.rfftfreq(len(part), 1 / rate)
    inside = (hertz >= 6000) & (hertz <= 10_000)
    one, all_of_it = (np.square(np.abs(np.fft.rfft(each)))[inside].sum() for each in (part, whole))
    return float(one / all_of_it)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level", [0.15, 0.4])
def test_bursts_over_noise_count_with_their_energy(level: float, rate: int) -> None:
    added = bursts(6.0, 0.046, rate)
    whole = level * added + 0.1 * noise(rate) * (rate / RATE) ** 0.5
    expected = share_of(level * added, whole, rate)
    assert 0.4 < expected < 0.95
    # Where a burst begins and ends it is too wide to be a peak; of the noise, a fifth counts by chance.
    assert 0.8 * expected < index_of(whole, rate) < expected + 0.2 * (1 - expected)


def test_noise_has_a_fifth_by_chance() -> None:
    """Of exponentially distributed powers, (1 + x)·exp(−x) of the energy is in lines over x times the mean: 6 dB
    over the median, 2.76 times the mean, 24 %; some of them are too wide or last too long, and take a line more on
    either side."""
    assert index_of(noise()) == pytest.approx(0.2, abs=0.05)


def test_tones_that_last_are_none() -> None:
    t = np.arange(6 * RATE) / RATE
    held = np.sin(2 * np.pi * 7000 * t) + np.sin(2 * np.pi * 8430 * t)
    assert index_of(held + 1e-4 * noise()) < 0.01


def test_bursts_that_last_ten_frames_are_none() -> None:
    long = bursts(6.0, 0.115)
    assert index_of(long + 1e-4 * noise()) < 0.1


def test_clicks_and_hisses_are_none() -> None:
    broad = np.zeros(6 * RATE)
    for at in range(RATE // 2, len(broad) - RATE, RATE // 2):
        broad[at : at + 400] = np.random.default_rng(at).standard_normal(400)
    assert index_of(broad + 1e-4 * noise()) < 0.1


def test_peaks_of_an_attack_are_none() -> None:
    """The same tones, each begun together with a whole chord from 300 Hz on: within 30 ms of it."""
    t = np.arange(6 * RATE)
    struck = np.zeros(len(t))
    chord = sum(np.sin(2 * np.pi * hertz * np.arange(2048) / RATE) for hertz in (400, 800, 1600, 3200, 7100))
    for at in range(RATE // 2, len(t) - RATE, RATE // 2):
        struck[at : at + 2048] += chord * np.hanning(2048)
    assert index_of(struck + 1e-3 * noise()) < 0.3


def test_silence_and_rates_without_the_band_have_none() -> None:
    assert index_of(np.zeros(RATE)) == 0
    assert index_of(noise(16_000), 16_000) == 0
