"""Streams of blocks, (channels, frames) each: cut anew, cut short, seen with what lies around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from resonate_resources.recordings.recording import Samples


def in_blocks(stream: Iterator[Samples], frames: int) -> Iterator[Samples]:
    """The same audio in blocks of that many frames, the last one shorter."""
    held: list[Samples] = []
    waiting = 0
    for block in stream:
        held.append(block)
        waiting += block.shape[1]
        if waiting < frames:
            continue
        whole = np.concatenate(held, axis=1)
        kept = waiting % frames
        for start in range(0, waiting - kept, frames):
            yield whole[:, start : start + frames]
        held, waiting = [whole[:, waiting - kept :]], kept
    if waiting:
        yield np.concatenate(held, axis=1)


def within(stream: Iterator[Samples], start: int, stop: int) -> Iterator[Samples]:
    """Frames start to stop of a stream."""
    at = 0
    for block in stream:
        part = block[:, max(0, start - at) : max(0, stop - at)]
        at += block.shape[1]
        if part.shape[1]:
            yield part


def with_context(stream: Iterator[Samples], frames: int) -> Iterator[Samples]:
    """The same audio, each part with that many frames before and behind it; beyond the ends there is silence."""
    held: Samples | None = None
    for block in stream:
        silence = np.zeros((block.shape[0], frames), np.float32)
        held = np.concatenate([silence if held is None else held, block], axis=1)
        if held.shape[1] > 2 * frames:
            yield held
            held = held[:, held.shape[1] - 2 * frames :]
    if held is not None and frames:
        yield np.concatenate([held, np.zeros((held.shape[0], frames), np.float32)], axis=1)


def surrounded(stream: Iterator[Samples], before: Samples, after: Samples) -> Iterator[Samples]:
    """A stream with something before and behind it."""
    return (block for block in chain([before], stream, [after]) if block.shape[1])
