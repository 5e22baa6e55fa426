"""Recordings as short-time spectra, changed and put together again, block by block and in time to the sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Spectra = npt.NDArray[np.complex64]
"""(channels, times, lines), lines from 0 Hz to the Nyquist frequency."""

_TIMES = 128
"""At once: their spectra stay in the processor's cache."""
_OVERLAP = 4
_OVERLAPPED = 1.5
"""What four squared Hann windows, each a quarter further, add up to."""


def window_size(sample_rate: int) -> int:
    """46 ms, 2048 at 44.1 and 48 kHz, and as long at other rates: speech and notes hold still for about so long."""
    return 1 << max(7, round(math.log2(2048 * sample_rate / 44_100)))


def short_time_spectra(blocks: Iterable[Samples], size: int) -> Iterator[Spectra]:
    """Spectra of Hann windows of `size`, each a quarter of it after the last, the first three quarters before the
    start; beyond the ends there is silence. The blocks may be of any length."""
    from scipy.fft import rfft

    hop = size // _OVERLAP
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    held: Samples | None = None

    def whole(count: int) -> Iterator[Spectra]:
        nonlocal held
        assert held is not None
        while count > 0:
            times = min(count, _TIMES)
            part = held[:, : size + (times - 1) * hop]
            frames = np.lib.stride_tricks.sliding_window_view(part, size, axis=1)[:, ::hop]
            yield rfft(frames * window)
            held, count = held[:, times * hop :], count - times

    for block in blocks:
        before = np.zeros((block.shape[0], size - hop), np.float32)
        held = np.concatenate([before if held is None else held, block], axis=1)
        yield from whole(((held.shape[1] - size) // hop + 1) // _TIMES * _TIMES)
    if held is not None:
        held = np.pad(held, ((0, 0), (0, size)))
        yield from whole((held.shape[1] - size) // hop + 1)


def through_spectra(
    blocks: Iterable[Samples], frames: int, size: int, change: Callable[[Spectra], Spectra]
) -> Iterator[Samples]:
    """The blocks' audio, of so many frames in all, its spectra changed. `change` is called in the order of time."""
    from scipy.fft import irfft

    hop = size // _OVERLAP
    window = (np.hanning(size + 1)[:-1] / _OVERLAPPED).astype(np.float32)
    tail: Samples | None = None
    skip, missing = size - hop, frames
    for spectra in short_time_spectra(blocks, size):
        pieces = irfft(change(spectra), size).astype(np.float32, copy=False) * window
        channels, times = pieces.shape[:2]
        added = np.zeros((channels, times + _OVERLAP - 1, hop), np.float32)
        for quarter in range(_OVERLAP):
            added[:, quarter : quarter + times] += pieces[:, :, quarter * hop : (quarter + 1) * hop]
        line = added.reshape(channels, -1)
        if tail is not None:
            line[:, : tail.shape[1]] += tail
        tail = line[:, times * hop :].copy()
        ready = line[:, skip : times * hop]
        skip = max(0, skip - times * hop)
        ready, missing = ready[:, :missing], missing - min(missing, ready.shape[1])
        if ready.shape[1]:
            yield ready
