"""A mix brought towards another balance. Levels are measured by scipy's own spectra."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import welch

from resonate_resources.composition.request import Balance
from resonate_resources.composition.sound.balancing import (
    MOST_TONE_DB,
    MOST_WIDTH_DB,
    BalanceMeter,
    Correction,
)
from resonate_resources.signal.octaves import OCTAVES_HZ

RATE = 48_000
Sound = npt.NDArray[np.float32]


def noise(seed: int = 0, side: float = 0.5) -> Sound:
    """(2, 10 s) of pink noise, as much in each octave."""
    chance = np.random.default_rng(seed)
    spectra = np.fft.rfft(chance.normal(size=(2, 10 * RATE)))
    hertz = np.fft.rfftfreq(10 * RATE, 1 / RATE)
    mid, width = np.fft.irfft(spectra / np.sqrt(np.maximum(hertz, 15.0)))
    mid, width = 0.1 * mid / mid.std(), 0.1 * side * width / width.std()
    return np.asarray([mid + width, mid - width], np.float32)


def octaves_db(sound: Sound) -> npt.NDArray[np.float64]:
    hertz, density = welch(sound, RATE, nperseg=8192)
    power = density.mean(axis=0)
    edges = 1000 * 2.0 ** (np.arange(-5, 6) - 0.5)
    inside = [(hertz >= low) & (hertz < high) for low, high in pairwise(edges)]
    return np.asarray(10 * np.log10([power[each].sum() for each in inside]), np.float64)


def side_db(sound: Sound) -> float:
    return float(10 * np.log10(np.mean((sound[0] - sound[1]) ** 2) / np.mean((sound[0] + sound[1]) ** 2)))


def correction(sound: Sound, octaves: npt.NDArray[np.float64], side: float | None) -> Correction:
    meter = BalanceMeter(RATE)
    for block in np.array_split(sound, 7, axis=1):
        meter.update(block)
    return meter.towards(Balance(octaves_db=tuple(octaves), side_db=side))


def corrected(sound: Sound, by: Correction) -> Sound:
    blocks: Iterator[Sound] = iter(np.array_split(sound, 7, axis=1))
    return np.concatenate(list(by.of(blocks)), axis=1)


def test_octaves_and_width_come_to_what_is_wanted() -> None:
    sound = noise()
    tilt = np.linspace(3, -3, len(OCTAVES_HZ))
    wanted = octaves_db(sound) + tilt
    made = corrected(sound, correction(sound, wanted, side_db(sound) - 4))
    off = (octaves_db(made) - wanted)[1:9]
    assert np.ptp(off) < 1.5
    assert side_db(made) == pytest.approx(side_db(sound) - 4, abs=0.5)
    assert made.shape == sound.shape


def test_neither_is_moved_beyond_its_bounds() -> None:
    sound = noise()
    steep = octaves_db(sound) + np.linspace(15, -15, len(OCTAVES_HZ))
    moved = octaves_db(corrected(sound, correction(sound, steep, None))) - octaves_db(sound)
    assert np.abs(moved).max() < MOST_TONE_DB + 0.5
    made = corrected(sound, correction(sound, octaves_db(sound), -60.0))
    assert side_db(made) - side_db(sound) == pytest.approx(-MOST_WIDTH_DB, abs=0.3)


def test_the_side_is_not_raised_over_half_the_middle() -> None:
    sound = noise(side=0.6)  # -4.4 dB
    made = corrected(sound, correction(sound, octaves_db(sound), 3.0))
    assert side_db(made) == pytest.approx(-3.0, abs=0.3)


def test_an_octave_that_the_other_recording_lacks_is_not_taken_away() -> None:
    """As 16 kHz is in what was once an MP3."""
    sound = noise()
    cut = octaves_db(sound)
    cut[-1] -= 70
    made = corrected(sound, correction(sound, cut, None))
    moved = (octaves_db(made) - octaves_db(sound))[1:]
    assert np.ptp(moved) < 1.0


def test_parts_through_it_sum_to_the_sum_through_it() -> None:
    parts = [noise(1), noise(2)]
    whole = np.asarray(parts[0] + parts[1], np.float32)
    by = correction(whole, octaves_db(whole) + np.linspace(4, -4, 10), -12.0)
    np.testing.assert_allclose(
        corrected(parts[0], by) + corrected(parts[1], by), corrected(whole, by), atol=1e-5
    )


def test_mono_stays_mono_and_silence_silent() -> None:
    mono = np.repeat(noise()[:1], 2, axis=0)
    assert correction(mono, octaves_db(mono), -6.0).width == 1.0
    nothing = np.zeros((2, RATE), np.float32)
    assert not corrected(nothing, correction(nothing, np.zeros(10), -6.0)).any()
