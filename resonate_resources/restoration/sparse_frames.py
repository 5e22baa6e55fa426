"""Marked samples of a recording made anew, from what leaves the spectrum around them sparse.

The sum of the logarithms of a frame's line powers is made small by reweighted least squares (Candès, Wakin, Boyd,
"Enhancing sparsity by reweighted l1 minimization", J. Fourier Anal. Appl. 14, 2008), the marked samples being the
only unknowns: each turn solves as many equations as there are of them, and no other sample changes. Models and the
constraint on clipped samples are compared by Záviška, Rajmic, Ozerov, Rencker, "A survey and an extensive evaluation of
popular audio declipping methods", IEEE J. Sel. Topics Signal Process. 15 (2021).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
Solver = Callable[[Floats, Floats, Marks | None], tuple[Floats, Marks]]

BLOCK = 1 << 16
"""Frames that are mended at a time; on every grid."""

_FRAME_S = 4096 / 44_100
_SMALLEST = 512
_MOST = 160  # unknowns of a frame: the cost goes with their cube, and halves of a frame have half as many
_TURNS = 4
_FLOORS = np.geomspace(1e-4, 1e-7, _TURNS)  # of the strongest line: first the loud partials, then the quiet
_LINES = 3  # over which powers are averaged: a partial is as wide in a tapered frame
_ROUNDS = 6
_RIDGE = 1e-9


def context_frames(sample_rate: int) -> int:
    """How many frames before and behind a stretch `remade` needs; twice as many is the grid that it works on."""
    return max(_SMALLEST, 1 << round(np.log2(_FRAME_S * sample_rate))) // 4


def remade(samples: Samples, marked: Marks, sample_rate: int, highest: float | None = None) -> Samples:
    """The marked ones of (channels, frames) made anew, but for the context at both ends.

    A grid begins where the context ends: stretches that begin on one grid join without a seam. highest: marked
    samples were clipped, and lie between where they are and that many times as far from zero.
    """
    quarter = context_frames(sample_rate)
    missing = -(samples.shape[1] - 2 * quarter) % (2 * quarter)
    waves = np.pad(samples, ((0, 0), (0, missing))).astype(np.float64)
    marks = np.pad(marked, ((0, 0), (0, missing)))
    mended = waves.copy()
    for wave, where, out in zip(waves, marks, mended, strict=True):
        for start in range(0, len(wave) - 2 * quarter, 2 * quarter):
            _remake_middle(wave, where, start, 4 * quarter, highest, out)
    mended = mended[:, : samples.shape[1]]
    return np.where(marked, mended, samples).astype(np.float32)


def _remake_middle(
    wave: Floats, marked: Marks, start: int, size: int, highest: float | None, out: Floats
) -> None:
    """The middle half of the frame at `start`; by halves where too much of the frame is marked."""
    middle = slice(start + size // 4, start + 3 * size // 4)
    if not marked[middle].any():
        return
    at = np.flatnonzero(marked[start : start + size])
    if len(at) > _MOST and size > _SMALLEST:
        for half in (start + size // 8, start + 3 * size // 8):
            _remake_middle(wave, marked, half, size // 2, highest, out)
        return
    frame = wave[start : start + size].copy()
    if highest is None:
        known = np.flatnonzero(~marked[start : start + size])
        frame[at] = np.interp(at, known, frame[known]) if len(known) else 0.0
        frame[at] += _added(frame, at, np.ones(len(at)), _solved)
    else:
        risen = _added(frame, at, np.sign(frame[at]), _not_negative)
        frame[at] += np.sign(frame[at]) * np.minimum(risen, (highest - 1) * np.abs(frame[at]))
    out[middle] = frame[size // 4 : 3 * size // 4]


def _added(frame: Floats, at: npt.NDArray[np.intp], signs: Floats, solve: Solver) -> Floats:
    """What, times signs, is to be added to a frame `at` those samples."""
    from scipy.fft import irfft, rfft
    from scipy.ndimage import uniform_filter1d

    window = np.sin(np.pi * (np.arange(len(frame)) + 0.5) / len(frame))
    towards = signs * window[at]
    apart = np.abs(at[:, None] - at[None])
    both = towards[:, None] * towards[None]
    given = rfft(frame * window)
    spectrum, held, added = given, None, np.zeros(len(at))
    for floor in _FLOORS:
        power = uniform_filter1d(np.square(np.abs(spectrum)), _LINES, mode="nearest")
        if not power.max() > 0:
            break
        weights = 1 / (power + floor * power.max())
        weights /= weights.mean()
        kernel = irfft(weights, len(frame))
        normal = kernel[apart] * both
        normal.flat[:: len(at) + 1] += _RIDGE * kernel[0]
        added, held = solve(normal, -irfft(given * weights, len(frame))[at] * towards, held)
        change = np.zeros(len(frame))
        change[at] = added * towards
        spectrum = given + rfft(change)
    return added


def _solved(normal: Floats, right: Floats, held: Marks | None) -> tuple[Floats, Marks]:
    """normal·u = right; zeros where that says nothing. Of a positive definite matrix."""
    from scipy.linalg import lapack

    _, solved, failed = lapack.dposv(normal, right, lower=1)
    return np.zeros(len(right)) if failed else solved, np.zeros(len(right), bool)


def _not_negative(normal: Floats, right: Floats, held: Marks | None) -> tuple[Floats, Marks]:
    """u ≥ 0 of least uᵀ·normal·u/2 − right·u, by active sets, and which are held at 0; begun with those held before."""
    held = np.zeros(len(right), bool) if held is None else held
    solved = np.zeros(len(right))
    for _ in range(_ROUNDS):
        free = np.flatnonzero(~held)
        solved = np.zeros(len(right))
        if len(free):
            solved[free] = _solved(normal[np.ix_(free, free)], right[free], None)[0]
        negative, wanted = solved < 0, held & (normal @ solved < right)
        if not (negative.any() or wanted.any()):
            break
        held = (held | negative) & ~wanted
    return np.maximum(solved, 0), held
