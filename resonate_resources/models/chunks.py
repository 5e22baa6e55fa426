"""A track through a chunk-wise separator, file to file, without seams and in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Progress, Recording, Samples, Stems, write_recording

SeparateChunk = Callable[[Samples], dict[str, Samples]]
"""(channels, frames) → stem name → (channels, frames); the stems of a chunk must sum to the chunk
if those of the track are to sum to the track."""


def chunk_bounds(frames: int, chunk: int, fade: int, grid: int = 1) -> Iterator[tuple[int, int]]:
    """Start and stop of chunks of ≤ `chunk` frames that overlap by at least `fade` and cover 0…frames.

    The last one reaches back, so that it is as long as the others where the track allows. Chunks start at
    multiples of `grid`: what is heard in two of them then lies alike to a model of that stride.
    """
    start = 0
    hop = (chunk - fade) // grid * grid
    last = -(-(frames - chunk) // grid) * grid
    while start + chunk < frames:
        yield start, start + chunk
        start = min(start + hop, last)
    yield start, frames


def separate_in_chunks(
    track: Recording,
    separate: SeparateChunk,
    names: tuple[str, ...],
    into: Path,
    *,
    chunk: int,
    fade: int,
    progress: Progress,
    at_once: int | None = None,
) -> Stems:
    """Write `<name>.wav` into `into` for every stem: rate, channels and frames are the track's.

    Neighbouring chunks of `chunk` frames overlap by at least `fade`, over which one fades linearly into the
    next, so that a separator that changes nothing gives the track back. `at_once` chunks are worked
    on at a time, by default as many as `in_parallel` takes.
    """
    bounds = list(chunk_bounds(track.frames, chunk, fade))
    chunks = in_parallel(lambda span: separate(track.read(*span)), bounds, at_once)
    return write_stems(track, joined(chunks, bounds, fade), names, into, progress)


def cut(blocks: Iterable[Samples], bounds: Iterable[tuple[int, int]]) -> Iterator[Samples]:
    """The spans `bounds` (starts rising, overlaps allowed) of a stream of (channels, frames) blocks."""
    stream = iter(blocks)
    held = next(stream)
    first = 0
    for start, stop in bounds:
        while first + held.shape[1] < stop:
            held = np.concatenate([held, next(stream)], axis=1)
        held, first = held[:, start - first :], start
        yield held[:, : stop - start].copy()


def joined(
    chunks: Iterable[dict[str, Samples]], bounds: Sequence[tuple[int, int]], fade: int
) -> Iterator[dict[str, Samples]]:
    """Consecutive blocks of the stems of chunks that lie at `bounds` and fade into each other over `fade`."""
    tails: dict[str, Samples] = {}
    written = 0
    for (start, stop), stems in zip(bounds, chunks, strict=True):
        keep = stop if stop == bounds[-1][1] else stop - fade
        ready: dict[str, Samples] = {}
        for name, samples in stems.items():
            stem = samples[:, written - start :]
            if name in tails:
                fade_in(stem, tails[name])
            ready[name] = stem[:, : keep - written]
            tails[name] = stem[:, keep - written :].copy()
        written = keep
        yield ready


def write_stems(
    track: Recording,
    blocks: Iterable[dict[str, Samples]],
    names: tuple[str, ...],
    into: Path,
    progress: Progress,
) -> Stems:
    """Write `<name>.wav` into `into` from consecutive blocks that are, together, as long as the track."""
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                write_recording(into / f"{name}.wav", track.sample_rate, track.channels, track.frames)
            )
            for name in names
        }
        written = 0
        for block in blocks:
            for name in names:
                writers[name].write(block[name])
            written += block[names[0]].shape[1]
            progress(written / max(1, track.frames))
    return {name: writers[name].recording for name in names}


def fade_in(samples: Samples, previous: Samples) -> None:
    """Replace the head of `samples` by a linear crossfade from `previous` (channels, ≤ frames), in place."""
    frames = previous.shape[1]
    ramp = ((np.arange(frames) + 0.5) / frames).astype(np.float32)
    head = samples[:, :frames]
    head += (1 - ramp) * (previous - head)
