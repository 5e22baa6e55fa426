"""Restoration's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once
from resonate_resources.preset import Preset

Step = Literal["denoise", "cut_rumble", "extend"]
STEPS: tuple[Step, ...] = ("denoise", "cut_rumble", "extend")


class RestorationBrief(Section):
    """What may be mended in the stems; each step is still left out where it would not help."""

    preset: Preset = Field(
        default="balanced", description="how much of the noise goes, and how loud what is put back is"
    )
    steps: tuple[Step, ...] = Field(
        default=STEPS,
        strict=False,
        description="denoise: noise of the vocals; cut_rumble: what lies under 40 Hz; extend: lost octaves",
    )

    _once = field_validator("steps")(once)
