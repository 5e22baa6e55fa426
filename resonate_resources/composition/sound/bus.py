"""The sum of all parts: as loud as a mix before mastering is, its peaks held, by one gain that every part gets."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.loudness import LoudnessMeter

Floats = npt.NDArray[np.float32]

MIX_LUFS: Final = -18.0
PEAK_DBFS: Final = -3.0
MOST_HELD_DB: Final = 5.0
"""Peaks are brought down by as much at most; a mix with higher ones is softer."""
_WINDOW: Final = 64  # frames between the values of the gain
_AROUND: Final = 32  # windows, 43 ms at 48 kHz, over which a fall is spread


class Bus:
    """Is given the sum block by block; then tells the gain of every frame. Keeps a value per 64 frames."""

    def __init__(self, rate: int) -> None:
        self._meter = LoudnessMeter(rate, 2)
        self._peaks: list[Floats] = []
        self._left = np.zeros((2, 0), np.float32)
        self._windows: Floats | None = None

    def update(self, block: Samples) -> None:
        """Take the next (2, frames)."""
        self._meter.update(block)
        sound = np.concatenate([self._left, block], axis=1)
        whole = sound.shape[1] // _WINDOW * _WINDOW
        self._peaks.append(np.abs(sound[:, :whole]).reshape(2, -1, _WINDOW).max(axis=(0, 2)))
        self._left = sound[:, whole:]

    def gain(self, start: int, frames: int) -> Floats:
        """(frames,) from that frame on, once the whole sum was taken."""
        if self._windows is None:
            self._windows = self._of_windows()
        at = np.arange(start, start + frames, dtype=np.float64) / _WINDOW
        return np.interp(at, np.arange(self._windows.size), self._windows).astype(np.float32)

    def _of_windows(self) -> Floats:
        """Gains at the windows' beginnings. Between two of them there is a straight line, so each looks at the
        windows on both sides."""
        from scipy.ndimage import minimum_filter1d, uniform_filter1d

        last = np.abs(self._left).max(initial=0.0)
        peaks = np.concatenate([*self._peaks, [last, 0.0]]).astype(np.float64)
        loudness, ceiling = self._meter.integrated(), 10 ** (PEAK_DBFS / 20)
        highest = float(peaks.max())
        if not highest:
            return np.ones(peaks.size, np.float32)
        level = 10 ** ((MIX_LUFS - loudness) / 20) if np.isfinite(loudness) else ceiling / highest
        level = min(level, 10 ** (MOST_HELD_DB / 20) * ceiling / highest)
        needed = np.minimum(1.0, ceiling / np.maximum(peaks * level, 1e-12))
        held = minimum_filter1d(needed, 2 * _AROUND + 1, mode="nearest")
        smooth = uniform_filter1d(held, _AROUND, mode="nearest")
        smooth = uniform_filter1d(
            smooth, _AROUND - 4, mode="nearest"
        )  # both together reach less far than held
        return (level * smooth).astype(np.float32)
