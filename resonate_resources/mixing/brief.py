"""Mixing's section of the brief."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section
from resonate_resources.mixing.balance import BALANCE_LU
from resonate_resources.preset import Preset

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
Decibels = Annotated[float, Field(ge=-40, le=20, strict=False)]


class MixingBrief(Section):
    """How the stems sit against each other."""

    preset: Preset = Field("balanced", description="conservative only levels and sums; the others also shape")
    balance_lu: dict[StemName, Decibels] = Field(
        dict(BALANCE_LU),
        description="loudness of each stem against the others, in LU, −40 to 20; those not named keep their place",
    )
    gains_db: dict[StemName, Decibels] = Field(
        {}, description="how much louder each stem is to be than its place in the balance, in dB, −40 to 20"
    )

    @field_validator("balance_lu")
    @classmethod
    def _whole(cls, balance: dict[StemName, float]) -> dict[StemName, float]:
        return {**BALANCE_LU, **balance}  # type: ignore[dict-item]

    def wished_lu(self) -> dict[str, float]:
        """Stem → loudness against the others in LU, gains included."""
        return {name: level + self.gains_db.get(name, 0.0) for name, level in self.balance_lu.items()}
