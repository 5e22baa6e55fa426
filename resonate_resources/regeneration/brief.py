"""Regeneration's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once
from resonate_resources.regeneration.facts import LONGEST_WISH

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

    rounds: int = Field(
        default=4,
        ge=0,
        le=100,
        description="how often the rebuilt track is judged and one decision of it changed, at most; what does not "
        "help is undone",
    )
    minutes: float = Field(
        default=10.0, gt=0, le=1440, description="rounds that would last longer than so many are not begun"
    )
    decisions: Literal["rules", "model"] = Field(
        default="rules", description="who decides: rules, or the language model that is set up for mixes"
    )
    wish: str = Field(
        default="",
        max_length=LONGEST_WISH,
        description=f"for the model, in words; at most {LONGEST_WISH} characters",
    )

    _once = field_validator("keep")(once)

    def wanted(self, stem: str) -> str:
        """A kind, an instrument's label, or one of instruments."""
        return next((named for name, named in self.stems.items() if name == stem), self.instruments)
