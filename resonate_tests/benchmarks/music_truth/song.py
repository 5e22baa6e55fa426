"""A composed song and all that is true of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from resonate_resources.recordings.midi import Note

STEMS = ("drums", "bass", "other", "vocals")


@dataclass(frozen=True)
class Span:
    """What holds from start_s to end_s: a key, a chord, a metre ("6/8"), a section's label."""

    start_s: float
    end_s: float
    value: str


@dataclass(frozen=True)
class Part:
    """One instrument: its stem, General MIDI program (a kit's, for drums; None: it is sung), pan
    −1…1, notes by onset."""

    stem: str
    program: int | None
    pan: float
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Sound:
    """What is done to the stems. None: nothing.

    rt60_s: octave band's centre in Hz → reverberation time; wet_db: of the room against the direct sound.
    lowpass_hz: cut of a steep filter over the whole. pump_db, pump_recovery_s: how far bass and other are ducked at
    a kick, and in what time they come back, linearly in dB. balance_db: stem → level; peak_dbfs: of the mixture.
    voice: who sings, `faust` or `formants`; None: nobody.
    """

    soundfont: str
    balance_db: Mapping[str, float]
    peak_dbfs: float
    rt60_s: Mapping[int, float] | None = None
    wet_db: float = 0.0
    lowpass_hz: float | None = None
    voice: str | None = None
    pump_db: float | None = None
    pump_recovery_s: float | None = None


@dataclass(frozen=True)
class Song:
    """tempo: (second, beats a minute) at every beat. sections' values are letters by repetition, names what
    composers call them. arrangement: per bar the stems that play in it. steady: one tempo but for drift."""

    seed: int
    style: str
    duration_s: float
    tempo_bpm: float
    steady: bool
    swing: float
    tempo: tuple[tuple[float, float], ...]
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    metres: tuple[Span, ...]
    keys: tuple[Span, ...]
    chords: tuple[Span, ...]
    sections: tuple[Span, ...]
    section_names: tuple[str, ...]
    arrangement: tuple[tuple[str, ...], ...]
    parts: Mapping[str, Part]
    sound: Sound = field(repr=False)

    def notes(self, stem: str) -> list[Note]:
        """All of a stem's notes by onset."""
        return sorted(note for part in self.parts.values() if part.stem == stem for note in part.notes)

    @property
    def key(self) -> str:
        """That of most of the song."""
        return longest(self.keys)

    @property
    def metre(self) -> str:
        """That of most of the song."""
        return longest(self.metres)

    def truth(self) -> dict[str, Any]:
        """As JSON; notes of a stem are [onset_s, offset_s, pitch, velocity]."""
        plain = asdict(self)
        del plain["parts"]
        return plain | {
            "key": self.key,
            "metre": self.metre,
            "programs": {name: part.program for name, part in self.parts.items()},
            "notes": {
                stem: [[n.onset_s, n.offset_s, n.pitch, n.velocity] for n in self.notes(stem)]
                for stem in STEMS
            },
        }


def longest(spans: tuple[Span, ...]) -> str:
    """The value that holds for most of the time."""
    lengths: dict[str, float] = {}
    for span in spans:
        lengths[span.value] = lengths.get(span.value, 0.0) + span.end_s - span.start_s
    return max(lengths, key=lambda value: lengths[value])
