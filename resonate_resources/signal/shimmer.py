"""Shimmer: short, narrow peaks in the highest octaves of a voice, which generated and badly coded voices have.

In spectra of 2048 samples every 512 (at 44.1 and 48 kHz; as long at other rates), between 6 and 10 kHz: lines that
stand 6 dB over the median of those up to 9 on either side, are under 3 lines wide at half their power, last 1 to 4
frames at half their amplitude, and lie no nearer than 30 ms to an onset. The index is their energy over that of the
band, away from onsets. Noise has such peaks by chance, a fifth of its energy, and so has breath: an index says
something beside that of real voices only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.onsets import find_onsets, onset_strength

BAND_HZ = (6000.0, 10_000.0)

_OVER = 10 ** (6 / 10)
_BESIDE = 9
_WIDEST, _LONGEST = 2, 4
_ONSET_S = 0.03
_LOWEST_HZ, _RISE_DB = 312.5, 4.0  # five octaves rise so far in the mean, or one by 20: an attack
_ONSETS_APART = 4
_SILENCE_DB = 80.0  # under the loudest octave of any frame

Mask = npt.NDArray[np.bool_]
Power = npt.NDArray[np.floating]


def spectrum_size(sample_rate: int) -> int:
    """Samples of a spectrum, near 46 ms."""
    return 1 << round(math.log2(2048 * sample_rate / 44_100))


def band_lines(sample_rate: int) -> slice:
    """The lines of BAND_HZ; none of them where the rate has no such band."""
    size = spectrum_size(sample_rate)
    low, high = (round(hertz * size / sample_rate) for hertz in BAND_HZ)
    return slice(low, high + 1) if high + _BESIDE < size // 2 else slice(0, 0)


def shimmer_peaks(power: Power, sample_rate: int) -> Mask:
    """(frames, lines) of squared magnitudes of Hann-windowed spectra, a quarter of their size apart → the lines
    that shimmer: peaks with a line on either side."""
    from scipy.ndimage import binary_dilation, label, maximum, median_filter

    lines = band_lines(sample_rate)
    found = np.zeros(power.shape, np.bool_)
    if not power[:, lines].any():
        return found
    around = power[:, lines.start - _BESIDE : lines.stop + _BESIDE]
    median = median_filter(around, (1, 2 * _BESIDE + 1))
    own = slice(_BESIDE, -_BESIDE)
    peaks = (_peaks(around) & (around > _OVER * median))[:, own]
    groups, count = label(peaks, np.ones((3, 3)))
    frame, line = np.nonzero(peaks)
    group = groups[frame, line]
    height = around[:, own][frame, line]
    highest = np.zeros(count + 1)
    highest[1:] = maximum(around[:, own], groups, np.arange(1, count + 1)) if count else 0
    strong = height >= highest[group] / 4
    lasting = np.unique(np.stack([group[strong], frame[strong]]), axis=1)[0]
    near = _near_onsets(power, sample_rate)
    fits = np.bincount(lasting, minlength=count + 1) <= _LONGEST
    fits[group[near[frame]]] = False
    fits[0] = False
    found[:, lines] = binary_dilation(fits[groups], np.ones((1, 3), np.bool_))
    return found


@dataclass(frozen=True)
class Shimmer:
    """Energy of the peaks, and of their band away from onsets."""

    peaks: float
    band: float

    @property
    def index(self) -> float:
        """0 to 1; 0 where the band is empty."""
        return self.peaks / self.band if self.band > 0 else 0.0


def measure_shimmer(power: Power, sample_rate: int) -> Shimmer:
    """Of (frames, lines), as in shimmer_peaks."""
    away = power[~_near_onsets(power, sample_rate)][:, band_lines(sample_rate)]
    peaks = power[shimmer_peaks(power, sample_rate)]
    return Shimmer(float(peaks.sum(dtype=np.float64)), float(away.sum(dtype=np.float64)))


def _peaks(power: Power) -> Mask:
    """Lines higher than those beside them, and under _WIDEST + 1 lines wide at half their power."""
    left, right = (np.roll(power, shift, axis=1) for shift in (1, -1))
    far_left, far_right = (np.roll(power, shift, axis=1) for shift in (2, -2))
    half = power / 2
    wide = 1 + (left >= half) * (1 + 1 * (far_left >= half)) + (right >= half) * (1 + 1 * (far_right >= half))
    return np.asarray((power > left) & (power >= right) & (wide <= _WIDEST))


def _near_onsets(power: Power, sample_rate: int) -> Mask:
    """(frames,): whether a frame is within 30 ms of an onset, heard in octaves: single lines rise all the time."""
    octaves = power @ ratio_bands(1, _LOWEST_HZ, BAND_HZ[1], sample_rate, spectrum_size(sample_rate))
    floor = max(float(octaves.max()), 1e-20) * 10 ** (-_SILENCE_DB / 10)
    levels = (10 * np.log10(np.maximum(octaves, floor))).astype(np.float32)
    onsets = find_onsets(onset_strength(levels, float(10 * np.log10(floor)), gap=2), _RISE_DB, _ONSETS_APART)
    near = np.zeros(len(power), np.bool_)
    reach = round(4 * _ONSET_S * sample_rate / spectrum_size(sample_rate))
    for onset in onsets:
        near[max(0, onset - 1 - reach) : onset + reach] = True  # struck in the middle of the gap
    return near
