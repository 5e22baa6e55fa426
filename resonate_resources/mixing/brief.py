"""Mixing's section of the brief."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, absolute_or_object
from resonate_resources.mixing.balance import BALANCE_LU
from resonate_resources.preset import Preset

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
Decibels = Annotated[float, Field(ge=-40, le=20, allow_inf_nan=False)]
ConductorName = Literal["rules", "model", "none"]
NaturalPart = Literal["vibrato", "breath", "shimmer"]
Pan = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Width = Annotated[float, Field(ge=-24, le=6, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1)]
BalanceName = Literal["auto", "original", "standard", "reference", "master-only"]


def _balance(named: Mapping[StemName, float]) -> dict[StemName, float]:
    """The usual balance, with what is named in its place."""
    return {name: named.get(name, BALANCE_LU[name]) for name in get_args(StemName)}


def _parts(named: Mapping[NaturalPart, float]) -> dict[NaturalPart, float]:
    """Nothing, but for what is named."""
    return {name: named.get(name, 0.0) for name in get_args(NaturalPart)}


class MixingBrief(Section):
    """How the stems sit against each other."""

    preset: Preset = Field(
        default="balanced",
        description="how freely stems are moved: conservative moves badly separated ones hardly, aggressive as far "
        "as is asked",
    )
    balance: BalanceName = Field(
        default="auto",
        description="original: levels stay as they came; standard: towards a usual balance; reference: towards "
        "that of another recording; master-only: the track itself, its stems untouched; auto: the more it sounds "
        "like a phone's recording, the nearer to standard, else original",
    )
    reference: str = Field(
        default="",
        description="for that balance, by its absolute path or as s3://bucket/key: a clean recording, best of the "
        "same piece, to whose levels, tone and width the stems are moved",
    )
    balance_lu: dict[StemName, Decibels] = Field(
        default_factory=lambda: _balance({}),
        description="loudness of each stem against the others in the standard balance, in LU, −40 to 20; those not "
        "named keep their place",
    )
    gains_db: dict[StemName, Decibels] = Field(
        default_factory=dict,
        description="how much louder each stem is to be than its place in the balance, in dB, −40 to 20",
    )
    pan: dict[StemName, Pan] = Field(
        default_factory=dict,
        description="where stems are put, −1 (left) to 1 (right), of constant power; of two channels",
    )
    width_db: dict[StemName, Width] = Field(
        default_factory=dict,
        description="how much stronger the side of each stem is to be, in dB, −24 to 6; of two channels",
    )
    compress: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="how much of the preset's compression the stems get, 0 to 1 (conservative has none); null: the "
        "more, the more the track sounds like a phone's recording, and none for finished music",
    )
    duck_db: float = Field(
        default=0.0,
        ge=0,
        le=12,
        allow_inf_nan=False,
        description="how far bass and other go down when the kick sounds, in dB, 0 to 12",
    )
    mono_bass: bool = Field(
        default=False,
        description="bring what lies under 120 Hz to the middle, as far as that loses nothing",
    )
    conductor: ConductorName = Field(
        default="rules",
        description="who listens to the planned mix and corrects what it has too much of for its kind of music: "
        "rules; model: a language model, where one is set up; none",
    )
    wish: str = Field(
        default="",
        max_length=500,
        description="for the model, in words, as in `warmer, voice in front`; at most 500 characters",
    )

    naturalise: dict[NaturalPart, Amount] = Field(
        default_factory=lambda: _parts({}),
        description="for vocals that were generated or tuned too far, each part 0 (off) to 1: vibrato on notes "
        "held as by a machine, breath where a voice is clearer than real ones, less shimmer at 6 to 10 kHz",
    )

    _is_a_place = field_validator("reference")(absolute_or_object)

    @field_validator("naturalise")
    @classmethod
    def _every_part(cls, naturalise: dict[NaturalPart, float]) -> dict[NaturalPart, float]:
        return _parts(naturalise)

    @field_validator("balance_lu")
    @classmethod
    def _whole(cls, balance: dict[StemName, float]) -> dict[StemName, float]:
        return _balance(balance)

    def wished_lu(self) -> dict[str, float]:
        """Stem → loudness against the others in the standard balance."""
        return {str(name): level for name, level in self.balance_lu.items()}

    def wished_db(self, stem: str) -> float:
        """How much louder it is to be than its place."""
        return next((gain for name, gain in self.gains_db.items() if name == stem), 0.0)

    def pan_of(self, stem: str) -> float:
        """−1 to 1, 0 where nothing is asked."""
        return next((pan for name, pan in self.pan.items() if name == stem), 0.0)

    def width_of(self, stem: str) -> float:
        """In dB, 0 where nothing is asked."""
        return next((width for name, width in self.width_db.items() if name == stem), 0.0)
