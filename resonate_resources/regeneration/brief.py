"""Regeneration's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once

StemName = Literal["vocals", "drums", "bass", "other", "piano", "guitar"]
Instruments = Literal["auto", "all", "own", "soundfont", "faust", "cloned"]


class RegenerationBrief(Section):
    """What plays the stems' notes."""

    instruments: Instruments = Field(
        default="auto",
        description="own: made from the stem itself; soundfont: General MIDI programs, clean and editable; faust: "
        "synthesisers; all: of all of them what sounds most like the stem; auto: own, and all where there are "
        "none; cloned: by networks, where weights are",
    )
    stems: dict[StemName, str] = Field(
        default_factory=dict,
        description="what plays a stem, whatever else is asked: a kind or an instrument, as the stems' report "
        "(`regeneration.json`) names them",
    )
    keep: tuple[StemName, ...] = Field(
        default=(),
        strict=False,
        description="stems that stay the original's own, labelled as kept",
    )

    _once = field_validator("keep")(once)

    def wanted(self, stem: str) -> str:
        """A kind, an instrument's label, or one of instruments."""
        return next((named for name, named in self.stems.items() if name == stem), self.instruments)
