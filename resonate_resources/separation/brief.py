"""Separation's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, absolute


class SeparationBrief(Section):
    """Into which stems the track is parted, and by what."""

    engine: str = Field(
        default="auto",
        min_length=1,
        description="auto, or the only engine to use, as name or name:model (`resonate engines` lists them)",
    )
    stems: Literal[2, 4, 6] = Field(
        default=4, description="2: vocals, other; 4: drums and bass, too; 6: piano and guitar, too"
    )
    priority: Literal["none", "vocals"] = Field(
        default="none", description="vocals: where they are what counts"
    )
    exact_sum: bool = Field(
        default=True,
        description="make the stems sum to the track; what an engine gave is kept beside them in raw/",
    )
    truth: str = Field(
        default="",
        description="where the track's true stems are, <stem>.wav in a folder: quality is measured, not predicted",
    )

    @field_validator("stems", mode="before")
    @classmethod
    def _is_whole(cls, stems: object) -> object:
        if type(stems) is not int:
            raise ValueError("is no whole number")
        return stems

    _is_a_place = field_validator("truth")(absolute)
