"""A composition written down: what every part plays, in beats. Made from a request; heard through `sound`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resonate_resources.composition.request import Balance, Genre, Instrument, Key, Metre, Role, SectionName
from resonate_resources.recordings.recording import AudioError

Kit = Literal[
    "acoustic_kit", "rock_kit", "brush_kit", "kit_808", "kit_909", "lofi_kit", "orchestral_percussion"
]
Sound = Instrument | Kit
"""What a part is played by: an instrument, or a drum kit (of which "drums" is none in particular)."""
Stem = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
EffectKind = Literal[
    "riser", "downlifter", "impact", "reverse_cymbal", "low_pass_opening", "low_pass_closing"
]

BEATS_A_BAR: Final[dict[Metre, float]] = {
    "2/4": 2, "3/4": 3, "4/4": 4, "5/4": 5, "6/8": 3, "7/8": 3.5, "9/8": 4.5, "12/8": 6,
}  # fmt: skip
"""In quarters: all times of a plan are in quarters from its beginning."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


PlannedNote = tuple[
    Annotated[float, Field(ge=0)],
    Annotated[float, Field(gt=0)],
    Annotated[int, Field(ge=0, le=127)],
    Annotated[int, Field(ge=1, le=127)],
]
"""Onset and length in quarters, MIDI pitch (drums: General MIDI percussion key), velocity. Swing and human
unevenness are in it."""


class Chord(_Written):
    """onset: in quarters from the beginning; it holds until the next. symbol: as Cm7, F#maj9/A#; degree: Roman
    numeral in the key, as bVII or ii7. pitches: pitch classes 0…11, the bass first."""

    onset: float
    symbol: str
    degree: str
    pitches: tuple[int, ...]


class PlannedSection(_Written):
    name: SectionName
    first_bar: int
    bars: int
    energy: float


class Part(_Written):
    """notes: by onset. level: −1…1, softer or louder than the genre has that role. pan: −1…1."""

    name: str
    stem: Stem
    role: Role
    sound: Sound
    notes: tuple[PlannedNote, ...]
    level: Annotated[float, Field(ge=-1, le=1)] = 0.0
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0


class Effect(_Written):
    """From one beat to another, in quarters. A riser, downlifter, impact or reverse cymbal is a sound of its own,
    in `other`; a low pass opens or closes over `parts`."""

    kind: EffectKind
    begins: float
    ends: float
    parts: tuple[str, ...] = ()


class Plan(_Written):
    """bpm: of quarters. The first beat of bar 0 is at 0. balance: towards which it is mixed, None: its genre's."""

    title: str
    genre: Genre
    seed: int
    bpm: float
    metre: Metre
    key: Key
    swing: float
    sections: tuple[PlannedSection, ...]
    chords: tuple[Chord, ...]
    parts: tuple[Part, ...]
    effects: tuple[Effect, ...] = ()
    balance: Balance | None = None

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Raises AudioError for a file that is no plan."""
        return cls.parse(path.read_bytes(), path.name)

    @classmethod
    def parse(cls, text: str | bytes, name: str) -> Plan:
        """Raises AudioError, which begins with the name of what is no plan."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise AudioError(f"{name}: is no plan ({place + ': ' if place else ''}{first['msg']})") from error

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @property
    def bars(self) -> int:
        return sum(section.bars for section in self.sections)

    @property
    def quarters(self) -> float:
        return self.bars * BEATS_A_BAR[self.metre]

    @property
    def duration_s(self) -> float:
        return self.quarters * 60 / self.bpm
