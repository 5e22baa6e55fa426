"""One channel at one rate, block by block: what analysis listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.recordings.recording import BLOCK_FRAMES, Progress, Recording, silent

Mono = npt.NDArray[np.float32]
"""One channel of audio, shaped (frames,)."""

_SPANS, _SPAN = 64, 4096
_CANCELS = 0.1


def mono_blocks(recording: Recording, sample_rate: int, progress: Progress = silent) -> Iterator[Mono]:
    """The mean of the channels, resampled to sample_rate in Hz (soxr HQ, streaming); of channels that cancel, one.

    Yields blocks of uneven length, some of them empty; together they are what librosa.load gives.
    """
    resample = _resampler(recording.sample_rate, sample_rate)
    one = cancelling(recording)
    read = 0
    for block in recording.blocks(BLOCK_FRAMES):
        read += block.shape[1]
        yield resample(block.mean(axis=0, dtype=np.float32) if one is None else block[one], False)
        progress(read / recording.frames)
    yield resample(np.zeros(0, np.float32), True)


def cancelling(recording: Recording) -> int | None:
    """The loudest channel of a recording in whose mean the channels cancel each other; None of any other.

    Channels that have nothing in common are as loud in their sum as their powers add up to, the same ones louder.
    Here they are 10 dB under that, and more: a channel was wired the wrong way round, or was made so on purpose.
    Heard in short spans all over the recording.
    """
    if recording.channels < 2:
        return None
    powers, together = np.zeros(recording.channels), 0.0
    for start in np.linspace(0, max(0, recording.frames - _SPAN), _SPANS).astype(int):
        span = recording.read(int(start), int(start) + _SPAN).astype(np.float64)
        powers += (span**2).sum(axis=1)
        together += float((span.sum(axis=0) ** 2).sum())
    return int(powers.argmax()) if together < _CANCELS * powers.sum() else None


def moved(blocks: Iterator[Mono], frames: int) -> Iterator[Mono]:
    """The same audio, (…, frames), from its `frames`th frame on; negative: with so many zeros before it."""
    to_skip = max(0, frames)
    for number, block in enumerate(blocks):
        if number == 0 and frames < 0:
            yield np.zeros((*block.shape[:-1], -frames), np.float32)
        yield block[..., to_skip:]
        to_skip = max(0, to_skip - block.shape[-1])


def _resampler(from_rate: int, to_rate: int) -> Callable[[Mono, bool], Mono]:
    if from_rate == to_rate:
        return lambda block, _: block
    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
    return lambda block, last: stream.resample_chunk(block, last=last)


def overlapping_frames(blocks: Iterator[Mono], size: int, hop: int) -> Iterator[npt.NDArray[np.float32]]:
    """Frames shaped (n, size), the first centred on the first sample and each `hop` samples after the last.

    Zeros stand in before the start and behind the end; the last frame is centred at most `hop` behind the end.
    Yields as many frames at a time as a block gives.
    """
    pending: Mono = np.zeros(size // 2, np.float32)
    for block in chain(blocks, (np.zeros(size // 2, np.float32),)):
        pending = np.concatenate([pending, block])
        count = (len(pending) - size) // hop + 1
        if count > 0:
            yield sliding_window_view(pending, size)[: count * hop : hop]
            pending = pending[count * hop :]
