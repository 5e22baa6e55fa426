"""A recording on another time line and at another pitch, part by part: an hour takes no more memory than a minute.

Pitch is moved as a tape is: what was made longer is played faster. So everything goes through Rubber Band once, and
all stems by the same map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_recording
from resonate_resources.signal.blocks import in_blocks, within
from resonate_resources.signal.joining import glide
from resonate_resources.signal.rubber_band import stretched, warm_up
from resonate_resources.signal.time_map import TimeMap

_PART_S = 20.0
_BOTH_S = 1.0
"""Of what comes out, what two parts both have: there the one becomes the other."""
_LEAD_S = 0.5
"""Before a part, from where Rubber Band comes to know what sounds."""
_BEYOND_S = 0.5
_SLOPE_FRAMES = 1024  # a ratio holds for so many


def stretch(
    recording: Recording, time_map: TimeMap, semitones: float, path: Path, progress: Progress = silent
) -> Recording:
    """Write the recording as the map has it, moved by so many semitones: of its rate and channels, and as long as
    the map makes its length, to the frame."""
    rate = recording.sample_rate
    frames = round(float(time_map(recording.duration)) * rate)
    pitch = 2 ** (semitones / 12)
    parts = _parts(recording, time_map, pitch)
    blocks = _joined(
        in_parallel(lambda part: _rendered(recording, time_map, pitch, part), iter(parts)), parts
    )
    if pitch != 1:
        blocks = _played_at(pitch, blocks, recording)
    with write_recording(path, rate, recording.channels, frames) as writer:
        written = 0
        for block in within(in_blocks(blocks, 1 << 16), 0, frames):
            writer.write(block)
            written += block.shape[1]
            progress(written / frames)
        # A resampler may owe the last sample or two.
        if written < frames:
            writer.write(np.zeros((recording.channels, frames - written), np.float32))
    return writer.recording


@dataclass(frozen=True)
class _Part:
    """Frames of what Rubber Band gives: first is the part's own first, both those that the next one has, too (0 at
    the end)."""

    first: int
    end: int
    both: int


def _parts(recording: Recording, time_map: TimeMap, pitch: float) -> list[_Part]:
    rate = recording.sample_rate
    count = max(1, round(recording.duration / _PART_S))
    edges_s = np.linspace(0, recording.duration, count + 1)
    edges = [round(edge) for edge in (time_map(edges_s) * (pitch * rate)).tolist()]
    # The resampler looks beyond the end.
    edges[-1] += 64
    return [
        _Part(first, end, round(_BOTH_S * rate) if end < edges[-1] else 0) for first, end in pairwise(edges)
    ]


def _rendered(recording: Recording, time_map: TimeMap, pitch: float, part: _Part) -> Samples:
    """(channels, frames) from the part's first frame to the last that both have."""
    rate = recording.sample_rate
    to_s = 1 / (pitch * rate)
    begin, end = np.interp(
        [part.first * to_s, (part.end + part.both) * to_s], time_map.target_s, time_map.source_s
    )
    start, stop = round(begin * rate) - round(_LEAD_S * rate), round((end + _BEYOND_S) * rate)
    known = recording.read(start, stop)
    before = min(max(0, -start), stop - start)
    samples = np.pad(known, ((0, 0), (before, stop - start - before - known.shape[1])))
    warm = warm_up(rate)

    def place(frame: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Where frames of the recording are in what comes out."""
        return time_map(np.asarray(frame) / rate) * (pitch * rate)

    edges = np.arange(0, samples.shape[1] + _SLOPE_FRAMES, _SLOPE_FRAMES)
    ratios = np.repeat(np.diff(place(start - warm + edges)) / _SLOPE_FRAMES, _SLOPE_FRAMES)
    made = stretched(samples, rate, ratios[: samples.shape[1]])
    own = round(warm + part.first - float(place(start + warm)))
    return made[:, own : own + part.end - part.first + part.both]


def _joined(rendered: Iterator[Samples], parts: list[_Part]) -> Iterator[Samples]:
    tail: Samples | None = None
    for made, part in zip(rendered, parts, strict=True):
        head = 0
        if tail is not None:
            head = tail.shape[1]
            yield glide(tail, made[:, :head])
        own = part.end - part.first
        yield made[:, head:own]
        tail = made[:, own:]


def _played_at(pitch: float, blocks: Iterator[Samples], recording: Recording) -> Iterator[Samples]:
    """Played that many times as fast."""
    import soxr

    stream = soxr.ResampleStream(
        pitch * recording.sample_rate,
        recording.sample_rate,
        recording.channels,
        dtype="float32",
        quality="VHQ",
    )
    for block in blocks:
        yield np.ascontiguousarray(stream.resample_chunk(np.ascontiguousarray(block.T)).T)
    yield np.ascontiguousarray(
        stream.resample_chunk(np.zeros((0, recording.channels), np.float32), last=True).T
    )
