"""Stretches of a recording put in place of what was there; the rest is left as it is, sample for sample."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    Progress,
    Recording,
    RecordingWriter,
    Samples,
    silent,
    write_recording,
)


class Change(NamedTuple):
    """(channels, frames) that stand from `start` on, instead of what stood there."""

    start: int
    samples: Samples


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
