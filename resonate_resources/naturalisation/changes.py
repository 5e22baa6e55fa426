"""Stretches of a recording put in place of what was there; the rest is left as it is, sample for sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from resonate_resources.naturalisation.stretches import Floats
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    Progress,
    Recording,
    RecordingWriter,
    Samples,
    silent,
    write_recording,
)

_PLACES = 6  # in a line


class Change(NamedTuple):
    """(channels, frames) that stand from `start` on, instead of what stood there."""

    start: int
    samples: Samples


class Part(Protocol):
    """One part of naturalisation, at work on one recording."""

    def changes(self, recording: Recording, pitch: Floats, one: int | None) -> Iterator[Change]:
        """pitch: of the whole recording, in cents, by frames of its track, NaN where nothing is voiced. one: the
        channel to listen to; None: the mean of all."""
        ...

    def measures(self) -> dict[str, float | int]:
        """What was done, once the changes are all had."""
        ...

    def note(self) -> str:
        """The same in a line for people, and why something was left alone though it could have been changed."""
        ...


def told(what: str, of: str, count: int, starts: Sequence[float], refused: Sequence[str]) -> str:
    """A part's note: where it was done, starts in seconds."""
    at = ", ".join(f"{int(start // 60)}:{start % 60:04.1f}" for start in starts[:_PLACES])
    more = f" and {len(starts) - _PLACES} more" if len(starts) > _PLACES else ""
    line = f"{what} in {len(starts)} of {count} {of}" + (f", at {at}{more}" if at else "")
    reasons = ", ".join(f"{why} ({refused.count(why)})" for why in dict.fromkeys(refused))
    return f"{line}; left alone where it would cost {reasons}" if refused else line


def write_changed(
    recording: Recording, changes: Iterable[Change], path: Path, progress: Progress = silent
) -> Recording:
    """Write the recording with its changes, which come in order and do not overlap. Without any, the recording
    itself is given back and nothing is written."""
    at = 0
    with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
        for change in changes:
            _copy(recording, at, change.start, writer)
            writer.write(change.samples)
            at = change.start + change.samples.shape[1]
            progress(at / recording.frames)
        if at:
            _copy(recording, at, recording.frames, writer)
    progress(1.0)
    if at:
        return writer.recording
    path.unlink()
    return recording


def _copy(recording: Recording, start: int, stop: int, writer: RecordingWriter) -> None:
    for first in range(start, stop, BLOCK_FRAMES):
        writer.write(recording.read(first, min(first + BLOCK_FRAMES, stop)))
