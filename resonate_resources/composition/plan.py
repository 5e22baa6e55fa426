"""A composition written down: what every part plays, in beats. Made from a request; heard through `sound`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from resonate_resources.composition.request import (
    LONGEST_S,
    MOST_BARS,
    Balance,
    Genre,
    Instrument,
    Key,
    Metre,
    Role,
    SectionName,
)
from resonate_resources.invalid import told
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
LARGEST_PLAN_BYTES: Final = 16_000_000
"""Half an hour of afrobeat, the genre of most notes, is 7.4 MB as a plan is written."""
_MOST_PARTS: Final = 64


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

    onset: Annotated[float, Field(ge=0)]
    symbol: str
    degree: str
    pitches: Annotated[tuple[Annotated[int, Field(ge=0, le=11)], ...], Field(min_length=1)]


class PlannedSection(_Written):
    name: SectionName
    first_bar: int
    bars: Annotated[int, Field(ge=1, le=MOST_BARS)]
    energy: Annotated[float, Field(ge=0, le=1)]


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
    begins: Annotated[float, Field(ge=0)]
    ends: float
    parts: tuple[str, ...] = ()


class Plan(_Written):
    """bpm: of quarters. The first beat of bar 0 is at 0. balance: towards which it is mixed, None: its genre's.

    People edit plans, so that whatever can't be played is refused: sections follow one another, notes and effects
    begin within them and last no longer than all of them, and that is half an hour at most.
    """

    title: str
    genre: Genre
    seed: Annotated[int, Field(ge=0)]
    bpm: Annotated[
        float, Field(ge=15, le=450)
    ]  # of quarters, where 30 to 300 of what is counted are asked for
    metre: Metre
    key: Key
    swing: Annotated[float, Field(ge=0.5, le=0.75)]
    sections: Annotated[tuple[PlannedSection, ...], Field(min_length=1)]
    chords: tuple[Chord, ...]
    parts: Annotated[tuple[Part, ...], Field(max_length=_MOST_PARTS)]
    effects: tuple[Effect, ...] = ()
    balance: Balance | None = None

    @model_validator(mode="after")
    def _can_be_played(self) -> Self:
        at, bar_s = 0, BEATS_A_BAR[self.metre] * 60 / self.bpm
        for section in self.sections:
            if section.first_bar != at:
                raise ValueError(
                    f"sections: one begins at bar {section.first_bar}, not at {at} as it follows"
                )
            at += section.bars
        if self.duration_s > LONGEST_S + bar_s:  # a length is met to within a bar
            raise ValueError(f"sections: together they last longer than {LONGEST_S / 60:.0f} minutes")
        spans = [(f"a note of {part.name!r:.40}", *note[:2]) for part in self.parts for note in part.notes]
        spans += [(f"a {effect.kind}", effect.begins, effect.ends - effect.begins) for effect in self.effects]
        for what, begins, lasts in spans:
            if begins >= self.quarters or not 0 < lasts <= self.quarters:
                raise ValueError(
                    f"{what} at {begins:g} lasts {lasts:g}: the piece is of {self.quarters:g} quarters"
                )
        return self

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Raises AudioError for a file that is no plan."""
        if path.stat().st_size > LARGEST_PLAN_BYTES:
            raise AudioError(f"{path.name}: is no plan (it is larger than {LARGEST_PLAN_BYTES // 10**6} MB)")
        return cls.parse(path.read_bytes(), path.name)

    @classmethod
    def parse(cls, text: str | bytes, name: str) -> Plan:
        """Raises AudioError, which begins with the name of what is no plan."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise AudioError(f"{name}: is no plan ({told(error)})") from error

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
