"""Clipped samples found again as what leaves a frame's spectrum sparse and lies beyond the clipping level.

The models and the constraint are compared by Záviška, Rajmic, Ozerov and Rencker, "A survey and an extensive evaluation
of popular audio declipping methods", IEEE J. Sel. Topics Signal Process. 15 (2021). Here the sum of the logarithms of a
frame's line powers is made small by reweighted least squares (Candès, Wakin, Boyd, "Enhancing sparsity by reweighted
l1 minimization", J. Fourier Anal. Appl. 14, 2008), with the clipped samples as the only unknowns, so that all others
stay: each turn solves as many equations as samples are clipped.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_TURNS = 4
_FLOORS = np.geomspace(
    1e-4, 1e-7, _TURNS
)  # of the strongest line's power: first the loud partials, then the quiet
_LINES = 3  # over which powers are averaged: a partial is as wide in a tapered frame
_ROUNDS = 6
_RIDGE = 1e-9


def raise_clipped(frame: Floats, at: Places, window: Floats, highest: float) -> Floats:
    """By how much the samples `at` lie further from zero than they were clipped to, 0…highest each.

    frame: (frames,), clipped; of an even length. window: as long, above zero `at`.
    """
    from scipy.fft import irfft, rfft
    from scipy.ndimage import uniform_filter1d

    towards = np.sign(frame[at]) * window[at]
    apart = np.abs(at[:, None] - at[None])
    both = towards[:, None] * towards[None]
    clipped = rfft(frame * window)
    spectrum, risen = clipped, np.zeros(len(at))
    held = np.zeros(len(at), bool)
    for floor in _FLOORS:
        power = uniform_filter1d(np.square(np.abs(spectrum)), _LINES, mode="nearest")
        weights = 1 / (power + floor * power.max())
        weights /= weights.mean()
        kernel = irfft(weights, len(frame))
        normal = kernel[apart] * both
        normal.flat[:: len(at) + 1] += _RIDGE * kernel[0]
        risen, held = _not_negative(normal, -irfft(clipped * weights, len(frame))[at] * towards, held)
        raised = np.zeros(len(frame))
        raised[at] = risen * towards
        spectrum = clipped + rfft(raised)
    return np.minimum(risen, highest)


def _not_negative(
    normal: Floats, right: Floats, held: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """u ≥ 0 of least uᵀ·normal·u/2 − right·u, and which are held at 0: an active set, begun with those held before."""
    from scipy.linalg import lapack

    solved = np.zeros(len(right))
    for _ in range(_ROUNDS):
        free = np.flatnonzero(~held)
        solved = np.zeros(len(right))
        if len(free):
            _, solved[free], failed = lapack.dposv(normal[np.ix_(free, free)], right[free], lower=1)
            if failed:  # lines of no power at all: nothing is known
                return np.zeros(len(right)), held
        negative, wanted = solved < 0, held & (normal @ solved < right)
        if not (negative.any() or wanted.any()):
            break
        held = (held | negative) & ~wanted
    return np.maximum(solved, 0), held
