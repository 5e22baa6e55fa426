"""What a dimension finds: how much a candidate differs, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """amount: 0 for equals, in the dimension's own unit. detail: its figures in words.

    by_second: how much in each second, where that can be told. band_hz: from where to where in the spectrum most of
    it lies. change: signed, of the candidate against the reference, where it has one figure that says which way.
    """

    amount: float
    detail: str
    by_second: Array | None = None
    band_hz: tuple[float, float] | None = None
    change: float | None = None


def uneven(curve: Array, weights: Array) -> float:
    """What a course of differences comes to: the mean of all of it and the mean of its worst tenth, half and half,
    so that one wrong bar is not drowned by a hundred right ones. Both by weight; 0 where nothing weighs."""
    whole = float(weights.sum())
    if whole <= 0:
        return 0.0
    order = np.argsort(-curve)
    filled = np.minimum(np.cumsum(weights[order]), whole / 10)
    parts = np.diff(filled, prepend=0.0)
    return (float(curve @ weights) / whole + float(curve[order] @ parts) / float(parts.sum())) / 2


def power_floor(power: npt.NDArray[np.floating], depth_db: float) -> float:
    """depth_db under the loudest; never 0."""
    return float(max(power.max() * 10 ** (-depth_db / 10), 1e-15))


def decibels(power: npt.ArrayLike, floor: float) -> Array:
    """Of powers, none under the floor."""
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64), floor)))


def pooled(rows: npt.NDArray[np.floating], count: int) -> Array:
    """Means of `count` rows each, the last of what is left."""
    starts = np.arange(0, len(rows), count)
    sums = np.add.reduceat(rows.astype(np.float64), starts, axis=0)
    sizes = np.diff(np.append(starts, len(rows)))
    return np.asarray(sums / sizes.reshape(-1, *(1,) * (rows.ndim - 1)))


def smoothed(curve: npt.NDArray[np.floating], width: int) -> Array:
    """Running means over `width` rows."""
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(curve.astype(np.float64), width, axis=0, mode="nearest"))


def likeness(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """2⟨a, b⟩ / (‖a‖² + ‖b‖²) of what is not negative: 1 for equals, 0 for what has nothing in common."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    energy = float(np.sum(a**2) + np.sum(b**2))
    return float(2 * np.sum(a * b) / energy) if energy > 0 else 1.0
