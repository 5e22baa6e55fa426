"""Recordings as short-time spectra, changed and put together again, block by block and in time to the sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Spectra = npt.NDArray[np.complex64]
"""(channels, times, lines), lines from 0 Hz to the Nyquist frequency."""

OVERLAP = 4
"""Windows over every frame."""
_TIMES = 128
"""At once: their spectra stay in the processor's cache."""


def window_size(sample_rate: int) -> int:
    """46 ms, 2048 at 44.1 and 48 kHz, and as long at other rates: speech and notes hold still for about so long."""
    return 1 << max(7, round(math.log2(2048 * sample_rate / 44_100)))


def window_frames(sample_rate: int, seconds: float) -> int:
    """The power of two nearest to that length, 16 at least."""
    return int(1 << max(4, round(np.log2(sample_rate * seconds))))


def hann(size: int) -> npt.NDArray[np.float32]:
    """Falls off fast beside a line: for what lies under loud ones."""
    return np.hanning(size + 1)[:-1].astype(np.float32)


def root_hann(size: int) -> npt.NDArray[np.float32]:
    """Parts two moments well: for what is made anew moment by moment."""
    return np.sqrt(hann(size))


def short_time_spectra(
    blocks: Iterable[Samples],
    size: int,
    window: Callable[[int], npt.NDArray[np.float32]] = hann,
) -> Iterator[Spectra]:
    """Spectra of windows of `size`, each a quarter of it after the last, the first three quarters before the start;
    beyond the ends there is silence. The blocks may be of any length."""
    from scipy.fft import rfft

    hop, weights = size // OVERLAP, window(size)
    held: Samples | None = None

    def whole(count: int) -> Iterator[Spectra]:
        nonlocal held
        assert held is not None
        while count > 0:
            times = min(count, _TIMES)
            part = held[:, : size + (times - 1) * hop]
            frames = np.lib.stride_tricks.sliding_window_view(part, size, axis=1)[:, ::hop]
            yield rfft(frames * weights)
            held, count = held[:, times * hop :], count - times

    for block in blocks:
        before = np.zeros((block.shape[0], size - hop), np.float32)
        held = np.concatenate([before if held is None else held, block], axis=1)
        yield from whole(((held.shape[1] - size) // hop + 1) // _TIMES * _TIMES)
    if held is not None:
        held = np.pad(held, ((0, 0), (0, size)))
        yield from whole((held.shape[1] - size) // hop + 1)


def overlap_added(
    stream: Iterable[Spectra],
    size: int,
    frames: int,
    window: Callable[[int], npt.NDArray[np.float32]] = hann,
) -> Iterator[Samples]:
    """The sound whose `short_time_spectra` by the same window those are, (channels, frames in all); exact but for
    rounding."""
    from scipy.fft import irfft

    hop, weights = size // OVERLAP, window(size)
    weights = weights / np.square(weights).reshape(OVERLAP, hop).sum(axis=0).mean()
    tail: Samples | None = None
    skip, missing = size - hop, frames
    for spectra in stream:
        pieces = irfft(spectra, size).astype(np.float32, copy=False) * weights
        channels, times = pieces.shape[:2]
        added = np.zeros((channels, times + OVERLAP - 1, hop), np.float32)
        for quarter in range(OVERLAP):
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


def through_spectra(
    blocks: Iterable[Samples], frames: int, size: int, change: Callable[[Spectra], Spectra]
) -> Iterator[Samples]:
    """The blocks' audio, of so many frames in all, its spectra changed. `change` is called in the order of time."""
    return overlap_added(map(change, short_time_spectra(blocks, size)), size, frames)
