"""Tempo and beats from onset strength, after Ellis, "Beat Tracking by Dynamic Programming" (2007)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.rhythm import FRAME_RATE

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
_PREFERRED_BPM = 115.0
_PREFERENCE_OCTAVES = 1.0  # twice or half the preferred tempo counts 0.6
_WINDOW = 512  # frames whose periodicity is looked at together: 12 s
_TREND = 128  # frames: 3 s
_TIGHTNESS = 100.0  # how much an uneven step costs against a strong onset; librosa's value
_PERIODIC = 0.1  # autocorrelation at the beat, against lag 0: less is chance


def estimate_tempo(onset: Floats) -> float | None:
    """Beats a minute, 40…240; None where nothing recurs."""
    periodicity = _periodicity(onset)
    if periodicity is None:
        return None
    lags = np.arange(len(periodicity))
    bpm = 60 * FRAME_RATE / np.maximum(lags, 1)
    # What recurs every beat recurs every two, three and four; what recurs every beat and a half does not.
    candidates = np.flatnonzero((bpm >= _SLOWEST_BPM) & (bpm <= _FASTEST_BPM))
    fine = np.linspace(candidates[0], candidates[-1], 10 * len(candidates))
    comb = np.mean([np.interp(fine * k, lags, periodicity) for k in (1, 2, 3, 4)], axis=0)
    preference = np.exp(-0.5 * (np.log2(60 * FRAME_RATE / fine / _PREFERRED_BPM) / _PREFERENCE_OCTAVES) ** 2)
    best = int(np.argmax(comb * preference))
    return float(60 * FRAME_RATE / fine[best]) if comb[best] > _PERIODIC else None


def _periodicity(onset: Floats) -> npt.NDArray[np.float64] | None:
    """Autocorrelation of onset strength, 1 at lag 0, mean over windows of 12 s; None for silence."""
    from scipy.ndimage import uniform_filter1d

    onset = onset - uniform_filter1d(onset, _TREND)  # a passage that is busy as a whole recurs at any lag
    longest = 4 * round(60 * FRAME_RATE / _SLOWEST_BPM)
    size = _WINDOW + longest
    total = np.zeros(longest + 1)
    for start in range(0, max(len(onset) - size, 0) + 1, _WINDOW):
        window = onset[start : start + size].astype(np.float64)
        spectrum = np.fft.rfft(window, 2 * size)
        total += np.fft.irfft(np.abs(spectrum) ** 2)[: longest + 1]
    return total / total[0] if total[0] > 0 else None


def track_beats(onset: Floats, tempo_bpm: float) -> npt.NDArray[np.float64]:
    """Times of the beats in seconds: the sequence that best hits strong onsets at steps close to the tempo's."""
    from scipy.ndimage import gaussian_filter1d

    period = 60 * FRAME_RATE / tempo_bpm
    strength = gaussian_filter1d(onset.astype(np.float64), period / 32)
    strength /= max(float(strength.std()), 1e-9)
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    penalty = -_TIGHTNESS * np.log(-steps / period) ** 2
    reach = -int(steps[0])
    score = np.zeros(reach + len(strength))  # `reach` frames of nothing before the first
    came_from = np.full(len(strength), -1)
    for frame, here in enumerate(strength.tolist()):
        before = score[frame : frame + len(steps)] + penalty
        best = int(before.argmax())
        score[reach + frame] = here + before[best]
        came_from[frame] = frame + int(steps[best])
    final = score[reach:]
    tail = final[-round(period) - 1 :]
    frame = len(final) - len(tail) + int(tail.argmax())
    frames = []
    while frame >= 0:
        frames.append(frame)
        frame = int(came_from[frame])
    return np.array(frames[::-1]) / FRAME_RATE


def tempo_of_beats(beats: npt.NDArray[np.float64]) -> float | None:
    """Beats a minute: the median over stretches of 32 beats, or of half as many as there are; None under 4."""
    span = min(32, len(beats) // 2)
    if span < 2:
        return None
    return float(60 * span / np.median(beats[span:] - beats[:-span]))
