"""What can hear notes in a pitched stem: a Protocol, and what it is told of the stem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Progress, Recording


@dataclass(frozen=True)
class Voice:
    """What a pitched stem can play: fundamentals in Hz, notes of so many seconds, one at a time or many.

    struck: each note of a monophonic voice begins with an attack, as of a plucked string, or changes the pitch.
    sung: the pitch of a monophonic voice glides, trembles and lies between the keys; notes begin with consonants.
    """

    lowest_hz: float
    highest_hz: float
    shortest_s: float
    monophonic: bool
    struck: bool = False
    sung: bool = False


class PitchTranscriber(Protocol):
    """Hears the notes of one pitched stem."""

    def notes(self, stem: Recording, voice: Voice, progress: Progress) -> list[Note]:
        """The stem's notes in order of onset. Runs in several threads at once."""
