"""Waveforms: the lowest and the highest sample of each column of pixels, for any stretch of any length.

Of a whole recording there is an outline, made once in the background: extremes of every 256 frames. Until it is
there, a long stretch is looked at here and there, which shows its shape at once though not every peak.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_studio.hearing.one_channel import one_channel
from resonate_studio.hearing.short_reads import opened_for_short_reads

Extremes = npt.NDArray[np.int8]
"""(columns, 2): lowest and highest sample of one channel,
full scale ±127; what is over it is as high as it."""

FRAMES_PER_ENTRY = 256
PEAKS_VERSION = 1
"""Part of the name of what is kept: raised when entries come out otherwise."""

_READ_WHOLE_FRAMES = 1 << 21  # 48 s at 44.1 kHz, read in some 20 ms
_LOOKS = 2000
_LOOK_FRAMES = 512
_LOOKING_SECONDS = 0.15  # on a slow disk, or in FLAC, where each look takes milliseconds


@dataclass(frozen=True)
class Peaks:
    """exact: whether every sample was seen."""

    extremes: Extremes
    exact: bool


def make_outline(recording: Recording) -> bytes:
    """Extremes of every FRAMES_PER_ENTRY frames of a recording, read once: int8, (entries, 2)."""
    entries = []
    for block in recording.blocks():  # whose length is a multiple of an entry's
        mono = one_channel(recording, block)
        entries.append(_extremes(mono, np.arange(0, mono.size, FRAMES_PER_ENTRY)))
    return np.concatenate(entries).tobytes() if entries else b""


def peaks_of(recording: Recording, start: int, stop: int, columns: int, outline: bytes | None) -> Peaks:
    """Extremes of frames start…stop, within the recording, in so many columns.

    outline: what make_outline gave, if it is there yet. A stretch that is short is read from the recording; of
    others, each column shows the entries that it touches.
    """
    edges = start + np.arange(columns + 1) * (stop - start) // columns
    if stop - start <= _READ_WHOLE_FRAMES:
        samples = one_channel(recording, recording.read(start, stop))
        return Peaks(_extremes(samples, np.minimum(edges[:-1] - start, samples.size - 1)), True)
    if outline is not None:
        entries = np.frombuffer(outline, np.int8).reshape(-1, 2)
        first, last = edges[:-1] // FRAMES_PER_ENTRY, -(-edges[1:] // FRAMES_PER_ENTRY)
        shown = _reduced(entries[: last[-1], 0], entries[: last[-1], 1], first)
        shared = entries[last - 1]  # the last entry of a column is the next one's first
        low, high = np.minimum(shown[:, 0], shared[:, 0]), np.maximum(shown[:, 1], shared[:, 1])
        return Peaks(np.stack([low, high], 1), True)
    return Peaks(_look(recording, edges), False)


def _look(recording: Recording, edges: npt.NDArray[np.int64]) -> Extremes:
    """Of each column a few samples from its middle. The columns are gone through in ever finer steps, so that where
    time is short, each is near one that was seen."""
    columns = len(edges) - 1
    step = 1 << max(0, (columns - 1).bit_length())
    finest = 1 << max(0, (-(-columns // _LOOKS) - 1).bit_length())
    seen = np.zeros((columns, 2), np.int8)
    seen_at = np.zeros(columns, np.int64)
    end = time.monotonic() + _LOOKING_SECONDS
    with opened_for_short_reads(recording) as file:
        previous = columns + step
        while step >= finest and time.monotonic() < end:
            for column in range(0, columns, step):
                if column % previous == 0:
                    continue
                middle = int(edges[column] + edges[column + 1]) // 2
                file.seek(min(middle, recording.frames - _LOOK_FRAMES))
                block = file.read(_LOOK_FRAMES, dtype="float32", always_2d=True).T
                samples = one_channel(recording, block)
                seen[column] = _extremes(samples, np.zeros(1, np.int64))[0]
                seen_at[column : column + step] = column
                if time.monotonic() > end:
                    break
            previous, step = step, step // 2
    return seen[seen_at]


def _extremes(samples: npt.NDArray[np.float32], begins: npt.NDArray[np.int64]) -> Extremes:
    steps = np.clip(np.rint(samples * 127), -127, 127).astype(np.int8)
    return _reduced(steps, steps, begins)


def _reduced(low: Extremes, high: Extremes, begins: npt.NDArray[np.int64]) -> Extremes:
    return np.stack([np.minimum.reduceat(low, begins), np.maximum.reduceat(high, begins)], 1)
