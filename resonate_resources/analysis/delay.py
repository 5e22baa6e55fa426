"""The time of a delay effect: how long after itself a stem sounds again, to the sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

_RATE = 11_025  # Hz
_FRAME, _HOP = 1 << 15, 1 << 14  # 3 s: three times the longest delay
_SHORTEST_S, _LONGEST_S = 0.06, 0.9
_SMOOTHED_LINES = 301  # 100 Hz: the spectrum's own shape, wider than the ripples of any delay looked for
_QUIET_DB = 30.0  # frames so far under the loudest rest
_PARTS = 4  # of the recording: an effect is in most of them, music that repeats itself in some
_NEAR = 2  # samples by which the parts' peaks may lie apart
_FEWEST = 4  # frames


@dataclass(frozen=True)
class Delay:
    """time_s: 0.06 to 0.9; level_db: of the first echo against what it repeats, at least; confidence: 0 to 1."""

    time_s: float
    level_db: float
    confidence: float


# Of composed songs 0 to 59, stems without a delay had at most 45, separated ones, in which machines repeat
# themselves to the sample, 89; with one of −4 to −11 dB 119 and more (docs/measurements.md).
_UNLIKE, _LIKE = 70.0, 120.0


def hear_delay(stem: Recording) -> Delay | None:
    """From the mean cepstrum (Bogert et al. 1963), in which an echo is a peak at its time: log spectra of 3 s less
    their own shape. None of too little sound. Memory does not grow with the recording's length."""
    window = np.hanning(_FRAME + 1)[:-1]
    low, high = round(_SHORTEST_S * _RATE), round(_LONGEST_S * _RATE)
    sums, counts, loudest = np.zeros((_PARTS, high)), np.zeros(_PARTS), 0.0
    total = max(1, round(stem.duration * _RATE / _HOP))
    number = 0
    for frames in overlapping_frames(mono_blocks(stem, _RATE), _FRAME, _HOP):
        for frame in frames:
            power = float(np.mean(np.square(frame)))
            loudest = max(loudest, power)
            part = min(_PARTS - 1, number * _PARTS // total)
            number += 1
            if power <= max(loudest * 10 ** (-_QUIET_DB / 10), 1e-10):
                continue
            sums[part] += _cepstrum(frame * window)[:high]
            counts[part] += 1
    heard = counts > 0
    if counts.sum() < _FEWEST or heard.sum() < 2:
        return None
    mean = sums.sum(axis=0) / counts.sum()
    at = low + int(mean[low:].argmax())
    scatter = 1.4826 * float(np.median(np.abs(mean[low:] - np.median(mean[low:]))))
    height = float(mean[at])
    parts = sums[heard] / counts[heard, None]
    near = parts[:, max(low, at - _NEAR) : at + _NEAR + 1].max(axis=1)
    alike = float(np.mean(near > height / 2))
    confidence = smoothly(height / max(scatter, 1e-12), _UNLIKE, _LIKE) * smoothly(alike, 0.5, 1.0)
    return Delay(at / _RATE, float(20 * np.log10(max(height, 1e-6))), confidence)


def _cepstrum(frame: Floats) -> Floats:
    """(lags,): the amplitude of an echo, at its lag."""
    from scipy.fft import irfft, rfft
    from scipy.ndimage import uniform_filter1d

    power = np.square(np.abs(rfft(frame)))
    levels = np.log(power + 1e-6 * power.mean() + 1e-20)
    levels -= uniform_filter1d(levels, _SMOOTHED_LINES)
    return np.asarray(irfft(levels), np.float64)
