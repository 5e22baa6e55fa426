"""What plays a part, and what is known of where its sound comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from resonate_resources.recipe import Json
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples


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


@dataclass(frozen=True)
class Part:
    """A stem and the notes heard in it. recording: of two channels at sample_rate, which is what instruments are to
    play at, in Hz. notes: `notes.playable`, by onset."""

    stem: str
    recording: Recording
    notes: tuple[Note, ...]
    sample_rate: int


@dataclass(frozen=True)
class Candidate:
    """An instrument that could play a part.

    kind: "sampler", "additive", "faust", "soundfont", "plugin", or of those that are cloned "livesynth",
    "tokensynth", "rave", "ddsp". label: as a person is shown it. licence: of the sound, an SPDX identifier where
    there is one. source: what the sound is made from. settings: what makes the same instrument again. leaving_out:
    the same where no note is played by its own recording; the instrument itself where no recording of the track is
    in it. copies: when notes are played by their own recordings at their own places, from and to in s, by time.
    """

    kind: str
    label: str
    licence: str
    source: str
    instrument: Instrument
    leaving_out: Instrument
    settings: Mapping[str, Json] = field(default_factory=dict)
    copies: tuple[tuple[float, float], ...] = ()
