"""Peaks that only an encoder makes: found in what it decodes to, and eased in what it gets.

An encoder raises a few peaks by a decibel, at places of its own, and leaves thousands as they are. There the source
goes down for a tenth of a second, smoothly; a limiter that holds lower everywhere would be heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples, write_recording

WINDOW_SECONDS = 0.05
"""In which peaks are told apart: about as long as a codec's window."""

_SPARE_DB = 0.08
"""So much lower than what is over: another encoding differs by less."""
_NEAR_DB = 0.03
"""So close under the ceiling a peak is eased, too: the next encoding may raise it."""

Dips = Mapping[int, float]
"""Window → dB by which the source goes down in the middle of it."""


def windows_over(peaks_dbtp: npt.NDArray[np.float64], ceiling_dbtp: float) -> dict[int, float]:
    """Dips for windows whose peaks are over the ceiling, or nearly so."""
    over = peaks_dbtp - ceiling_dbtp
    return {int(window): float(over[window]) + _SPARE_DB for window in np.flatnonzero(over > -_NEAR_DB)}


def together(one: Dips, other: Dips) -> Dips:
    """Both, one after the other."""
    return {window: one.get(window, 0.0) + other.get(window, 0.0) for window in sorted({*one, *other})}


def eased(source: Recording, dips: Dips, path: Path, gain_db: float = 0.0) -> Recording:
    """Write source with this gain and these dips: each reaches half a window beyond its own, and fades over one."""
    gain = np.float32(10 ** (gain_db / 20))
    with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
        for block in _eased(source, dips):
            writer.write(block * gain)
    return writer.recording


def _eased(source: Recording, dips: Dips) -> Iterator[Samples]:
    window = WINDOW_SECONDS * source.sample_rate
    # From the middle of the window in windows: all of the dip up to 1, none from 2 on.
    distance = np.arange(-2 * window, 2 * window + 1) / window
    shape = 0.5 + 0.5 * np.cos(np.pi * np.clip(np.abs(distance) - 1, 0, 1))
    start = 0
    for block in source.blocks():
        stop = start + block.shape[1]
        down_db = np.zeros(block.shape[1])
        for number, dip in dips.items():
            first = round((number + 0.5) * window) - shape.size // 2
            low, high = max(first, start), min(first + shape.size, stop)
            if low < high:
                here = slice(low - start, high - start)
                down_db[here] = np.maximum(down_db[here], dip * shape[low - first : high - first])
        yield block * (10 ** (down_db / -20)).astype(np.float32) if down_db.any() else block
        start = stop
