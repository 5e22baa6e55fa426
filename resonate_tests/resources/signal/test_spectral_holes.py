"""Holes in the highs that are known, because they were cut there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import signal

from resonate_resources.signal.shimmer import spectrum_size
from resonate_resources.signal.spectral_holes import measure_holes

RATE = 44_100

Wave = npt.NDArray[np.float64]


def noise(seconds: float = 4.0) -> Wave:
    return np.random.default_rng(0).standard_normal(round(seconds * RATE))


def holes(wave: Wave, rate: int = RATE) -> float | None:
    size = spectrum_size(rate)
    window = np.hanning(size + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[:: size // 4]
    return measure_holes(np.square(np.abs(np.fft.rfft(frames * window))), rate)


def gated(wave: Wave, under: float) -> Wave:
    """Every line of every spectrum of 23 ms that is under that many standard deviations is taken out."""
    _, _, spectra = signal.stft(wave, RATE, nperseg=1024)
    spectra[np.abs(spectra) < under * np.sqrt(np.mean(np.square(np.abs(spectra))))] = 0
    return signal.istft(spectra, RATE, nperseg=1024)[1][: len(wave)]


def test_noise_has_as_many_holes_as_its_distribution_says() -> None:
    """The power of its lines is exponentially distributed: 1 - exp(-10^-3) lies 30 dB under its mean."""
    assert holes(noise()) == pytest.approx(1 - np.exp(-1e-3), rel=0.3)


def test_how_noise_is_coloured_or_swells_makes_no_holes() -> None:
    tone = signal.sosfilt(signal.butter(6, 7000, fs=RATE, output="sos"), noise())
    swelling = noise() * (1.05 + np.sin(2 * np.pi * 0.5 * np.arange(4 * RATE) / RATE))
    for wave in (tone, swelling):
        found = holes(wave)
        assert found is not None
        assert found < 0.004


def test_the_harder_a_gate_the_more_holes() -> None:
    found = [holes(gated(noise(), under)) or 0 for under in (0.0, 1.0, 1.5, 2.0)]
    assert found == sorted(found)
    assert found[0] < 0.002
    assert found[-1] > 0.03


def test_silence_and_rates_without_such_highs_tell_nothing() -> None:
    assert holes(np.zeros(RATE)) is None
    assert holes(noise()[:6000]) is None
    assert holes(noise(), 16_000) is None
