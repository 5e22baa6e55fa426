"""A recording as short-time spectra and back, in a stream: what changes spectra moment by moment works between."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Spectra = npt.NDArray[np.complex64]
"""Shaped (channels, moments, lines), lines from 0 Hz to the Nyquist frequency."""

OVERLAP = 4
"""Moments a window: a squared Hann window's sum is even."""


def window_frames(sample_rate: int, seconds: float) -> int:
    """The power of two nearest to that length, 16 at least."""
    return int(1 << max(4, round(np.log2(sample_rate * seconds))))


def spectra(stream: Iterator[Samples], size: int) -> Iterator[Spectra]:
    """Of a stream of (channels, frames), every size / 4 frames, through the root of a Hann window of `size`.

    The first is centred size / 2 − size / 4 frames before the start, and there are as many as cover every frame
    four times; silence stands before the start and behind the end.
    """
    from scipy.fft import rfft

    hop, window = size // OVERLAP, _window(size)
    held: Samples | None = None
    for block in _closed(stream, size):
        if held is None:
            held = np.zeros((len(block), size - hop), np.float32)
        held = np.concatenate([held, block], axis=1)
        count = (held.shape[1] - size) // hop + 1
        if count > 0:
            frames = np.lib.stride_tricks.sliding_window_view(held, size, axis=1)[:, : count * hop : hop]
            yield rfft(frames * window)
            held = held[:, count * hop :]


def overlap_added(stream: Iterator[Spectra], size: int, frames: int) -> Iterator[Samples]:
    """The sound whose `spectra` those are, (channels, frames in all); exact but for rounding."""
    from scipy.fft import irfft

    hop, window = size // OVERLAP, _window(size) * np.float32(2 / OVERLAP)
    tail: Samples | None = None
    skip, left = size - hop, frames
    for each in stream:
        parts = irfft(each, size) * window
        channels, count = parts.shape[:2]
        sound = np.zeros((channels, (count - 1) * hop + size), np.float32)
        for quarter in range(OVERLAP):
            rows = sound[:, quarter * hop : (quarter + count) * hop].reshape(channels, count, hop)
            rows += parts[:, :, quarter * hop : (quarter + 1) * hop]
        if tail is not None:
            sound[:, : size - hop] += tail
        tail = sound[:, count * hop :]
        ready = sound[:, skip : count * hop][:, :left]
        skip, left = max(0, skip - count * hop), left - ready.shape[1]
        if ready.shape[1]:
            yield ready


def _window(size: int) -> npt.NDArray[np.float32]:
    return np.sqrt(np.hanning(size + 1)[:-1]).astype(np.float32)


def _closed(stream: Iterator[Samples], size: int) -> Iterator[Samples]:
    channels = 0
    for block in stream:
        channels = len(block)
        yield block
    if channels:
        yield np.zeros((channels, size), np.float32)
