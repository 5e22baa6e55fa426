"""Sums of recordings, and how far a sum is from what it should be."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, write_recording


def sum_recordings(recordings: Collection[Recording], path: Path) -> Recording:
    """Write the sum of recordings of equal rate, channels and length. Raises ValueError where they differ."""
    first = next(iter(recordings))
    if any(_shape(recording) != _shape(first) for recording in recordings):
        raise ValueError("recordings of different rate, channels or length have no sum")
    with write_recording(path, first.sample_rate, first.channels, first.frames) as writer:
        for blocks in zip(*(recording.blocks() for recording in recordings), strict=True):
            total: Samples = np.sum(blocks, axis=0)
            writer.write(total)
    return writer.recording


def null_depth(parts: Collection[Recording], whole: Recording) -> float:
    """Level of (sum of parts − whole) against the whole, in dB: −inf where they are equal, or all silent.

    Raises ValueError where rate, channels or length differ.
    """
    if any(_shape(part) != _shape(whole) for part in parts):
        raise ValueError("parts of different rate, channels or length can't sum to the whole")
    residual = energy = 0.0
    streams = (part.blocks() for part in parts)
    for block, *shares in zip(whole.blocks(), *streams, strict=True):
        residual += float(np.sum(np.square(np.sum(shares, axis=0, dtype=np.float64) - block)))
        energy += float(np.sum(np.square(block, dtype=np.float64)))
    if residual == 0:
        return -math.inf
    return 10 * math.log10(residual / energy) if energy else math.inf


def alike_in_shape(one: Recording, other: Recording) -> bool:
    """Whether they have the same rate, channels and length."""
    return _shape(one) == _shape(other)


def _shape(recording: Recording) -> tuple[int, int, int]:
    return recording.sample_rate, recording.channels, recording.frames
