"""Filters that are opened and closed: where what a stem holds of highs, or of lows, moves steadily for seconds.

Each band is held against what the stem usually has there: a low-pass leaves the bands up to its cut-off as they are
and empties those above, however bright or dull the music is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, ratio_bands

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_RATE = 44_100
_FRAME, _HOP = 4096, 8820  # five a second
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 18_000.0
_PER_OCTAVE = 6
_LOUDEST_OF = 7  # frames: the strokes within 1.4 s reach up to the cut-off
_USUAL = 75  # per cent of the time a band is no louder
_CLOSED_DB = 18.0  # so far under what is usual a band is empty
_EMPTY_DBFS = -90.0  # bands that never hold more tell nothing
_PARTED = 0.85  # of the bands lie on the right side of the cut-off
_WEAK_DB = 8.0  # so far under what is usual what passes may be: else it dies away
_LENGTHS = (14, 17, 20, 24, 28, 34, 40, 48, 56, 68, 80)  # frames: 2.8 to 16 s
_LEAST_OCTAVES, _STEADY = 1.5, 0.92  # of the variance a straight line explains
_RANGE_DB = 40.0  # under the stem's loud frames it rests


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
    from scipy.ndimage import maximum_filter1d

    bands = ratio_bands(_PER_OCTAVE, _LOWEST_HZ, _HIGHEST_HZ, _RATE, _FRAME)
    levels = maximum_filter1d(band_levels(stem, bands, _RATE, _HOP).astype(np.float64), _LOUDEST_OF, axis=0)
    whole = 10 * np.log10((10 ** (levels / 10)).sum(axis=1))
    if not len(whole) or whole.max() < -70:
        return []
    sounding = whole > np.percentile(whole, 90) - _RANGE_DB
    usual = np.percentile(levels[sounding], _USUAL, axis=0)
    held = usual > _EMPTY_DBFS
    if held.sum() < 2 * _PER_OCTAVE:
        return []
    lines = np.arange(len(bands))[:, None] * _RATE / _FRAME
    centres = np.log2((lines * bands).sum(axis=0) / bands.sum(axis=0))[held]
    over = (levels - usual)[:, held]
    open_ = over > -_CLOSED_DB
    sounding &= (over * open_).sum(axis=1) > -_WEAK_DB * open_.sum(axis=1)
    found: list[Sweep] = []
    for kind, passed, edges in (("low-pass", open_, centres), ("high-pass", open_[:, ::-1], centres[::-1])):
        edge, parted = _edges(passed)
        for start, end, begin, to, sure in _steady(edges[edge], parted & sounding):
            from_hz, to_hz = np.exp2(np.clip((begin, to), centres[0], centres[-1])).tolist()
            found.append(Sweep(kind, start / 5, end / 5, from_hz, to_hz, sure))  # type: ignore[arg-type]
    return sorted(found, key=lambda sweep: sweep.start_s)


def _edges(passed: Mask) -> tuple[Ints, Mask]:
    """(frames, bands) → the last band of each frame up to which most are passed and behind which most are not, and
    whether nearly all lie so."""
    closed = 1 - passed.astype(np.intp)
    behind = np.cumsum(closed[:, ::-1], axis=1)[:, ::-1] - closed
    right: Ints = np.cumsum(passed, axis=1, dtype=np.intp) + behind
    return right.argmax(axis=1), right.max(axis=1) >= _PARTED * passed.shape[1]


def _steady(edge: Floats, told: Mask) -> list[tuple[int, int, float, float, float]]:
    """Start, end (frames), the edge there in octaves, and the part of its course that a line explains: of stretches
    that don't overlap, the widest sweeps first."""
    candidates = []
    for length in _LENGTHS:
        if length > len(edge):
            break
        course = np.lib.stride_tricks.sliding_window_view(edge, length)
        time = np.arange(length) - (length - 1) / 2
        off = course - course.mean(axis=1, keepdims=True)
        slope = off @ time / (time @ time)
        explained = slope**2 * (time @ time) / np.maximum(np.square(off).sum(axis=1), 1e-12)
        whole = np.lib.stride_tricks.sliding_window_view(told, length).mean(axis=1) > 0.9
        change = slope * (length - 1)
        fits = whole & (explained >= _STEADY) & (np.abs(change) >= _LEAST_OCTAVES)
        middle = course.mean(axis=1)
        candidates += [
            (
                abs(change[at]) * explained[at] ** 12,
                at,
                at + length,
                middle[at] - change[at] / 2,
                middle[at] + change[at] / 2,
                explained[at],
            )
            for at in np.flatnonzero(fits).tolist()
        ]
    found: list[tuple[int, int, float, float, float]] = []
    for _, start, end, begin, to, sure in sorted(candidates, reverse=True):
        if all(end <= other[0] or start >= other[1] for other in found):
            found.append((start, end, float(begin), float(to), float(sure)))
    return found
