"""Filters that are opened and closed: where what a stem holds of highs, or of lows, moves steadily for seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, ratio_bands

Floats = npt.NDArray[np.float64]

_RATE = 44_100
_FRAME, _HOP = 4096, 8820  # five a second
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 18_000.0
_PER_OCTAVE = 6
_PART = 0.97  # of the power lies under a low-pass's edge, or over a high-pass's
_SMOOTHED = 5  # frames: 1 s
_SHORTEST_S, _LEAST_OCTAVES = 2.0, 1.5
_STEADY = 0.9  # of the variance of a sweep that a straight line in octaves explains
_RANGE_DB = 30.0  # under the stem's loud frames it rests


@dataclass(frozen=True)
class Sweep:
    """A cut-off that moves from from_hz to to_hz. confidence: 0 to 1, how steadily."""

    kind: Literal["low-pass", "high-pass"]
    start_s: float
    end_s: float
    from_hz: float
    to_hz: float
    confidence: float


def find_sweeps(stem: Recording) -> list[Sweep]:
    """In order of time; nothing where the tone stays, or jumps."""
    bands = ratio_bands(_PER_OCTAVE, _LOWEST_HZ, _HIGHEST_HZ, _RATE, _FRAME)
    levels = band_levels(stem, bands, _RATE, _HOP).astype(np.float64)
    power = 10 ** (levels / 10)
    whole = power.sum(axis=1)
    if not len(whole) or whole.max() < 1e-7:
        return []
    lines = np.arange(len(bands))[:, None] * _RATE / _FRAME
    centres = np.log2((lines * bands).sum(axis=0) / bands.sum(axis=0))
    sounding = whole > np.percentile(whole, 90) * 10 ** (-_RANGE_DB / 10)
    found = []
    share = np.cumsum(power, axis=1) / whole[:, None]
    for kind, edge in (
        ("low-pass", centres[np.argmax(share >= _PART, axis=1)]),
        ("high-pass", centres[np.argmax(share >= 1 - _PART, axis=1)]),
    ):
        found += [
            Sweep(kind, start / 5, end / 5, float(2**begin), float(2**to), sure)  # type: ignore[arg-type]
            for start, end, begin, to, sure in _steady_runs(edge, sounding)
        ]
    return sorted(found, key=lambda sweep: sweep.start_s)


def _steady_runs(edge: Floats, sounding: npt.NDArray[np.bool_]) -> list[tuple[int, int, float, float, float]]:
    """Start, end (frames), the edge there in octaves, and the part of its course that a line explains."""
    from scipy.ndimage import median_filter, uniform_filter1d

    smooth = uniform_filter1d(median_filter(edge, _SMOOTHED, mode="nearest"), 3, mode="nearest")
    runs = []
    for sign in (1.0, -1.0):
        step = np.diff(smooth) * sign
        going = np.append(step > 0.02, False) & sounding
        start = None
        for frame, on in enumerate(going.tolist()):
            if on and start is None:
                start = frame
            elif not on and start is not None:
                runs.append((start, frame))
                start = None
    told = []
    for start, end in sorted(runs):
        course = smooth[start : end + 1]
        change = float(course[-1] - course[0])
        if (end - start) / 5 < _SHORTEST_S or abs(change) < _LEAST_OCTAVES:
            continue
        time = np.arange(len(course))
        explained = float(np.corrcoef(time, course)[0, 1] ** 2)
        if explained >= _STEADY:
            told.append((start, end, float(course[0]), float(course[-1]), explained))
    return told
