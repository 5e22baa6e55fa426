"""Spectra on a logarithmic axis of frequency, and the colours in which levels are shown."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

LOWEST_HZ, HIGHEST_HZ = 40.0, 20_000.0
FLOOR_DB = -90.0
_WINDOW_SECONDS = 0.09  # tells semitones apart from about 200 Hz up
# Matplotlib's inferno (CC0) at nine even steps.
_INFERNO = (
    (0, 0, 4),
    (31, 12, 72),
    (85, 15, 109),
    (136, 34, 106),
    (186, 54, 85),
    (227, 89, 51),
    (249, 140, 10),
    (249, 201, 50),
    (252, 255, 164),
)


class Spectrograph:
    """rows: between LOWEST_HZ and HIGHEST_HZ, all of one ratio."""

    def __init__(self, sample_rate: int, rows: int) -> None:
        self.length = 1 << round(math.log2(_WINDOW_SECONDS * sample_rate))
        """Samples of a window."""
        self._window = np.hanning(self.length).astype(np.float32)
        edges_hz = np.geomspace(HIGHEST_HZ, LOWEST_HZ, rows + 1)
        edges = edges_hz * self.length / sample_rate
        self._bins = min(int(edges[0]), self.length // 2) + 1
        self._from = np.minimum(edges[1:].astype(np.int64), self._bins - 1)
        self._above_nyquist = edges[1:] > self.length / 2

    def spectra(
        self, mono: npt.NDArray[np.float32], centres: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Levels in dB, (rows, len(centres)), of windows about these frames, kept within the block; the highest
        pitch first, 0 dB for a full-scale sine."""
        block = np.pad(mono, (0, max(0, self.length - mono.size)))
        starts = np.clip(centres - self.length // 2, 0, block.size - self.length)
        return self.levels(np.lib.stride_tricks.sliding_window_view(block, self.length)[starts])

    def levels(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The same of windows that are given, (n, length)."""
        from scipy.fft import rfft

        spectra = rfft(windows * self._window, axis=1)[:, : self._bins]
        amplitudes = np.abs(spectra) * np.float32(2 / self._window.sum())
        # Each row of pixels shows the loudest bin from its lower edge to the next row's: rising, as reduceat wants.
        rising = np.maximum.reduceat(amplitudes, self._from[::-1], axis=1)
        levels = 20 * np.log10(np.maximum(rising[:, ::-1].T, 10 ** (FLOOR_DB / 20)))
        levels[self._above_nyquist] = FLOOR_DB
        return np.asarray(levels, np.float32)


def shades(count: int) -> npt.NDArray[np.uint8]:
    """(count, 3): colours that the eye orders from dark to light, as levels rise from FLOOR_DB to 0 dB."""
    steps = np.linspace(0, len(_INFERNO) - 1, count)
    parts = [np.interp(steps, np.arange(len(_INFERNO)), part) for part in zip(*_INFERNO, strict=True)]
    return np.asarray(np.stack(parts, 1), np.uint8)


def shade_numbers(levels_db: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.uint8]:
    """Which of count (≤ 256) shades a level has."""
    part = (levels_db - FLOOR_DB) / -FLOOR_DB
    return np.asarray(np.clip(part * count, 0, count - 1), np.uint8)
