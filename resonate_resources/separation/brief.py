"""Separation's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from resonate_resources.brief.section import Section


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
        description="a folder of the track's true stems, <stem>.wav: quality is then measured, not predicted",
    )
