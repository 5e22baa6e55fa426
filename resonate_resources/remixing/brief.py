"""Remixing's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from resonate_resources.brief.section import Section, once
from resonate_resources.signal.spelling import spelt
from resonate_resources.signal.time_map import LEAST, MOST

Bars = Literal[1, 2, 4, 8]


class RemixingBrief(Section):
    """What is made of the track for remixes; nothing unless something is asked for."""

    tempo_bpm: float | None = Field(
        default=None,
        ge=20,
        le=400,
        strict=False,
        description="beats a minute, three eighths each in 6/8, that stems, chops and loops are to have; "
        "null: the track's own",
    )
    stretch: float | None = Field(
        default=None,
        ge=LEAST,
        le=MOST,
        strict=False,
        description="instead of a tempo: how many times as long they are to be, 0.5 to 2",
    )
    straighten: bool = Field(
        default=False, description="one steady tempo all along: each beat goes where a clock has it"
    )
    key: str | None = Field(
        default=None,
        description="that they are to be in, as in `A minor` or Camelot's `8A`, the shortest way up or down; "
        "relative keys are one",
    )
    semitones: float | None = Field(
        default=None,
        ge=-12,
        le=12,
        strict=False,
        description="instead of a key: how far they are moved, −12 to 12",
    )
    chops: bool = Field(default=False, description="cut the vocals at their onsets, a file each")
    loops: tuple[Bars, ...] = Field(
        default=(),
        strict=False,
        description="loops of so many bars (1, 2, 4, 8), of the master and of each stem",
    )

    _once = field_validator("loops")(once)

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, key: str | None) -> str | None:
        try:
            return None if key is None else spelt(key)
        except ValueError as error:
            raise ValueError("is no key such as `A minor`, `Bbm` or `8A`") from error

    @model_validator(mode="after")
    def _one_of_two(self) -> RemixingBrief:
        for one, other in (("tempo_bpm", "stretch"), ("stretch", "straighten"), ("key", "semitones")):
            if getattr(self, one) not in (None, False) and getattr(self, other) not in (None, False):
                raise ValueError(f"{one} and {other} can't both be asked for")
        return self

    @property
    def asks(self) -> bool:
        """Whether anything is to be made."""
        return self.moves or self.chops or bool(self.loops)

    @property
    def moves(self) -> bool:
        """Whether tempo or pitch may be another than the track's."""
        return self.straighten or any(
            wanted is not None for wanted in (self.tempo_bpm, self.stretch, self.key, self.semitones)
        )
