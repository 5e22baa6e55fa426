"""What plays notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples


@dataclass(frozen=True, order=True)
class PlayedNote(Note):
    """A note as an instrument is given it, its onset counted from where playing begins. part_s: where it stands in
    the part, in s, for instruments that have a recording of each note."""

    part_s: float = 0.0


class Instrument(Protocol):
    """sample_rate in Hz; any number of notes may sound at once."""

    @property
    def sample_rate(self) -> int: ...

    def sounding_until(self, note: Note) -> float:
        """The time in seconds at which the note, its release included, has fallen silent."""
        ...

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """(2, frames) of those notes, `PlayedNote`s, from time zero. The same call gives the same sound."""
        ...
