"""Running medians, means and maxima of planes, worked on in slabs that stay in the processor's cache.

An operation on a whole plane takes up to four times as long: it waits for memory.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

Plane = npt.NDArray[np.float32]
"""One number per bin: (time, bins)."""

_SLAB_VALUES = 65536
"""256 KiB: the few arrays of one operation mostly fit into the second-level cache of a core."""


def running_median(values: Plane, axis: int, levels: int) -> Plane:
    """Median of medians of (time, bins) along `axis` over 3**levels neighbours (Tukey's ninther at every point).

    Medians of three neighbours that are 1, then 3, then 9 … apart. The edge value goes on beyond the edges.
    """

    def medians(lines: Plane) -> Plane:
        for level in range(levels):
            step = 3**level
            around = _lengthened(lines, step)
            lines = median_of_three(*(_shifted(around, k, 2 * step) for k in (0, step, 2 * step)))
        return lines

    return _in_slabs(values, axis, medians)


def running_maximum(values: Plane, axis: int, count: int) -> Plane:
    """The greatest along `axis` of `count` neighbours (odd)."""
    return _in_slabs(values, axis, lambda lines: _joined(np.maximum, lines, count))


def smooth(values: Plane, times: int, bins: int) -> Plane:
    """Mean over times × bins (odd numbers) around every point; over bins, of non-negative values."""
    if times > 1:  # scipy's filter takes four times as long along this axis
        sums = _in_slabs(values, 0, lambda lines: _joined(np.add, lines, times))
        values = np.multiply(sums, np.float32(1 / times), out=sums)
    if bins > 1:
        values = uniform_filter1d(values, bins, axis=1, mode="nearest")
        # Its running sums end a rounding error below zero after loud passages.
        at_least(values, np.float32(0))
    return values


def at_least(values: npt.NDArray[np.float32], least: np.float32) -> None:
    """Raise what lies below, in place: numpy compares rows with a row four times as fast as with a number."""
    np.maximum(values, np.full(values.shape[-1], least), out=values)


def median_of_three(a: Plane, b: Plane, c: Plane) -> Plane:
    """The middle one of three values, element by element."""
    middle: Plane = np.maximum(a, b)
    np.minimum(middle, c, out=middle)
    return np.maximum(middle, np.minimum(a, b), out=middle)


def _joined(join: np.ufunc, lines: Plane, count: int) -> Plane:
    """`count` neighbours joined: pairs, pairs of pairs … and, of those, the ones that `count` consists of."""
    around = _lengthened(lines, count // 2)
    result: Plane | None = None
    done, width = 0, 1
    while True:
        if count & width:
            part = _shifted(around, done, around.shape[1] - lines.shape[1])
            result = part if result is None else join(result, part)
            done += width
        if done == count and result is not None:
            return result
        around = join(_shifted(around, 0, width), _shifted(around, width, width))
        width *= 2


def _shifted(lines: Plane, by: int, fewer: int) -> Plane:
    """A view of every line from `by` on, shorter by `fewer`."""
    return lines[:, by : lines.shape[1] - fewer + by]


def _lengthened(lines: Plane, by: int) -> Plane:
    """Lines whose first and last value is repeated `by` times; in memory, neighbours lie as they did."""
    length = lines.shape[1]
    along_time = lines.strides[0] < lines.strides[1]
    shape = (len(lines), length + 2 * by)
    around: Plane = np.empty(shape[::-1], np.float32).T if along_time else np.empty(shape, np.float32)
    around[:, by : by + length] = lines
    around[:, :by] = lines[:, :1]
    around[:, by + length :] = lines[:, -1:]
    return around


def _in_slabs(values: Plane, axis: int, work: Callable[[Plane], Plane]) -> Plane:
    """`work` of slabs of lines along `axis`, each given and returned as (lines, values)."""
    result = np.empty_like(values)
    lines, results = (values, result) if axis == 1 else (values.T, result.T)
    wide = max(1, _SLAB_VALUES // lines.shape[1])
    for start in range(0, len(lines), wide):
        results[start : start + wide] = work(lines[start : start + wide])
    return result
