"""What makes a genre: tempo, form, harmony, grooves and who plays them, read from `genres/NAME.toml`.

A genre is added by writing one such file (and its name in `request.Genre`); docs/composing.md explains the fields.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from resonate_resources.composition import request
from resonate_resources.composition.composer.metre import beats_of
from resonate_resources.composition.composer.numerals import bars_of
from resonate_resources.composition.plan import EffectKind, Kit
from resonate_resources.composition.request import Instrument, Metre, Mood, Role, Section, SectionName

Level = Literal["low", "mid", "high"]
"""Of a section's energy: under 0.4, under 0.75, and above."""
DRUM_KEYS: Final = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "closed_hat": 42, "low_tom": 45, "open_hat": 46, "mid_tom": 47,
    "pedal_hat": 44, "crash": 49, "high_tom": 50, "ride": 51, "ride_bell": 53, "tambourine": 54, "cowbell": 56,
    "high_bongo": 60, "low_bongo": 61, "muted_conga": 62, "conga": 63, "low_conga": 64, "high_timbale": 65,
    "low_timbale": 66, "high_agogo": 67, "low_agogo": 68, "cabasa": 69, "shaker": 70, "guiro": 73, "clave": 75,
    "triangle": 81, "surdo": 87, "cymbals": 57, "timpani": 41,
}  # fmt: skip
"""General MIDI 2 percussion keys. timpani: the lowest of an octave, F, in which they are tuned (orchestra kit)."""

_Written = TypeVar("_Written")
Probability = Annotated[float, Field(ge=0, le=1)]
Pitches = tuple[Annotated[int, Field(ge=0, le=127)], Annotated[int, Field(ge=0, le=127)]]
_SECTION: Final = re.compile(rf"({'|'.join(get_args(SectionName))}) (\d+) (\d*\.?\d+)")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _progression(text: str) -> str:
    bars_of(text)
    return text


_Hits = Annotated[str, Field(pattern=r"^[Xxo.]+( [Xxo.]+)*$")]
_Strikes = Annotated[str, Field(pattern=r"^(~|[XxoB1-9.-]+( [XxoB1-9.-]+)*)$")]
_Bass = Annotated[str, Field(pattern=r"^(walk|kick|[R35678bna.-]+( [R35678bna.-]+)*)$")]
Hits = Annotated[tuple[_Hits, ...], BeforeValidator(_listed)]
"""Grids to choose from, of bars with a space between: X accent, x plain, o ghost; as many cells as letters."""
Strikes = Annotated[tuple[_Strikes, ...], BeforeValidator(_listed)]
"""As hits, held over "-"; B: the chord's lowest note alone; 1…9: its tones upward from the lowest. Or "~": each
chord held until the next."""
BassLine = Annotated[tuple[_Bass, ...], BeforeValidator(_listed)]
"""R root, b root an octave down, 3 5 6 7 above it, 8 octave, n root of the next chord, a step to it; "-" holds. Or
"walk": a walking bass; "kick": the root with each kick."""
Progression = Annotated[str, AfterValidator(_progression)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Humanising(_Data):
    """Standard deviations: of onsets in ms, of velocities. snare_lag_ms: how late the back beat lies."""

    timing_ms: Annotated[float, Field(ge=0, le=30)]
    velocity: Annotated[float, Field(ge=0, le=20)]
    snare_lag_ms: Annotated[float, Field(ge=-15, le=40)] = 0.0


class Harmony(_Data):
    """major, minor: progressions by kind of section, or for "any", bars apart by "|". Numerals count from the major
    scale (bVII). modal: the same for dorian, phrygian, lydian and mixolydian, where the genre has its own. period:
    bars in which a shorter progression is repeated before rules change it. cadence: how sections close.
    held: how often a section's chords last two bars each, where a bar is shorter than 2.6 s and its progression
    isn't longer than four. The other probabilities say how often a chord is exchanged for one of its function, led
    to by its own dominant, borrowed from the parallel mode, or given a seventh or ninth."""

    major: dict[SectionName | Literal["any"], tuple[Progression, ...]]
    minor: dict[SectionName | Literal["any"], tuple[Progression, ...]]
    modal: dict[str, tuple[Progression, ...]] = Field(default={})
    period: int = 4
    cadence: Literal["authentic", "half", "plagal", "none"] = "none"
    substitution: Probability = 0.0
    secondary_dominants: Probability = 0.0
    borrowing: Probability = 0.0
    colour: Probability = 0.0
    held: Probability = 0.0

    @model_validator(mode="after")
    def _any(self) -> Self:
        if "any" not in self.major or "any" not in self.minor:
            raise ValueError("progressions for any section are missing")
        return self


Groove = dict[str, Hits]


class Drums(_Data):
    """groove: by level of energy, what each voice plays; a level that isn't there plays as the next lower one, or
    the lowest. fills: at phrase ends, from the bar's middle or wherever they begin."""

    kit: Kit
    groove: dict[Level, Groove]
    fills: tuple[Groove, ...] = ()
    crash: bool = True


class Percussion(_Data):
    groove: dict[Level, Groove]


class Bass(_Data):
    sounds: tuple[Instrument, ...]
    pitches: Pitches = (28, 52)
    energy: tuple[float, float] = (0.25, 1.0)
    line: dict[Level, BassLine]
    level: float = 0.0


class Melody(_Data):
    """cells: rhythms of a bar, of which themes are made. scale: tones besides those of the chord. leaps: how much
    of a theme leaps rather than steps."""

    sounds: tuple[Instrument, ...]
    pitches: Pitches = (60, 81)
    energy: tuple[float, float] = (0.35, 1.0)
    cells: tuple[_Strikes, ...]
    scale: Literal["mode", "pentatonic", "blues"] = "mode"
    leaps: Probability = 0.25
    sections: tuple[SectionName, ...] = ("verse", "pre_chorus", "chorus", "bridge", "drop", "solo")
    level: float = 0.0


class PartStyle(_Data):
    """energy: sections within it have the part. patterns: of strikes; a riff's are its rhythm. strum_ms: from the
    lowest to the highest string."""

    role: Role
    sounds: tuple[Instrument, ...]
    pitches: Pitches
    energy: tuple[float, float] = (0.0, 1.0)
    patterns: Strikes = ("~",)
    voicing: Literal["close", "open", "power", "shell", "four_part"] = "close"
    strum_ms: Annotated[float, Field(ge=0, le=60)] = 0.0
    sections: tuple[SectionName, ...] = get_args(SectionName)
    level: float = 0.0
    pan: float = 0.0


class GenreData(_Data):
    """tempo: slowest, usual and fastest of the beat that is counted. metres, modes: the usual first; grids are in
    the first metre. swing: usual, and where swing is asked for; swing_unit: which notes it delays. length_s: usual.
    unit: bars that sections are multiples of, where there is room."""

    name: request.Genre
    tempo: tuple[request.Bpm, request.Bpm, request.Bpm]
    metres: tuple[Metre, ...] = ("4/4",)
    modes: tuple[str, ...]
    tonics: tuple[str, ...]
    swing: tuple[float, float]
    swing_unit: Literal["eighth", "sixteenth"] = "eighth"
    moods: tuple[Mood, ...]
    length_s: Annotated[float, Field(ge=20, le=600)]
    unit: int = 4
    forms: tuple[tuple[Section, ...], ...]
    transitions: tuple[EffectKind | Literal["silence"], ...] = ()
    human: Humanising
    harmony: Harmony
    drums: Drums | None = None
    percussion: Percussion | None = None
    bass: Bass | None = None
    melody: Melody
    parts: tuple[PartStyle, ...]

    @model_validator(mode="before")
    @classmethod
    def _read_forms(cls, data: dict[str, Any]) -> dict[str, Any]:
        return data | {"forms": [[_section(text) for text in form.split(", ")] for form in data["forms"]]}

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.tempo[0] <= self.tempo[1] <= self.tempo[2]:
            raise ValueError("tempo has slowest, usual and fastest, in that order")
        for mode in self.modes:
            if mode not in request.MODES:
                raise ValueError(f"{mode!r} is no mode")
        grooves = [
            *(self.drums.groove.values() if self.drums else ()),
            *(self.drums.fills if self.drums else ()),
        ]
        grooves += self.percussion.groove.values() if self.percussion else ()
        for groove in grooves:
            if unknown := set(groove) - set(DRUM_KEYS):
                raise ValueError(f"{sorted(unknown)} are no voices of a kit")
        grids = [grid for groove in grooves for hits in groove.values() for grid in hits]
        grids += [
            grid
            for line in (self.bass.line.values() if self.bass else ())
            for grid in line
            if grid not in ("walk", "kick")
        ]
        grids += [*self.melody.cells, *(grid for part in self.parts for grid in part.patterns if grid != "~")]
        beats = beats_of(self.metres[0])
        for bar in (bar for grid in grids for bar in grid.split()):
            if len(bar) % beats:
                raise ValueError(f"{bar!r} has {len(bar)} cells, which {beats} beats don't divide")
        return self


def _section(text: str) -> Section:
    match = _SECTION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no section; say it as verse 16 0.5")
    return Section(name=match[1], bars=int(match[2]), energy=float(match[3]))  # type: ignore[arg-type]


@cache
def genre_data(name: request.Genre) -> GenreData:
    """Raises pydantic.ValidationError, a ValueError, where the file isn't right."""
    file = resources.files("resonate_resources.composition") / "genres" / f"{name}.toml"
    return GenreData.model_validate(tomllib.loads(file.read_text("utf-8")) | {"name": name})


def level_of(energy: float) -> Level:
    return "low" if energy < 0.4 else "mid" if energy < 0.75 else "high"


def at_level(by_level: Mapping[Level, _Written], energy: float) -> _Written:
    """What is written for that energy, or the next lower level, or the lowest there is."""
    order: tuple[Level, ...] = ("low", "mid", "high")
    wanted = order.index(level_of(energy))
    there = [level for level in order if level in by_level]
    below = [level for level in there if order.index(level) <= wanted]
    return by_level[below[-1] if below else there[0]]
