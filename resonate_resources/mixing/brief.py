"""Mixing's section of the brief."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section
from resonate_resources.mixing.balance import BALANCE_LU
from resonate_resources.preset import Preset

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
Decibels = Annotated[float, Field(ge=-40, le=20, allow_inf_nan=False)]
NaturalPart = Literal["vibrato", "breath", "shimmer"]
Amount = Annotated[float, Field(ge=0, le=1)]
BalanceName = Literal["auto", "original", "standard", "master-only"]


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
        description="how far stems may be moved beyond what they are worth; see docs/mixing.md",
    )
    balance: BalanceName = Field(
        default="auto",
        description="original: levels stay as they came; standard: towards balance_lu; master-only: the track "
        "itself, its stems untouched; auto: standard as far as the track is a phone's recording, else original",
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

    naturalise: dict[NaturalPart, Amount] = Field(
        default_factory=lambda: _parts({}),
        description="for vocals that were generated or tuned too far, each part 0 (off) to 1: vibrato on notes "
        "held as by a machine, breath where a voice is clearer than real ones, less shimmer at 6 to 10 kHz",
    )

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
