"""Restoration's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once
from resonate_resources.preset import Preset
from resonate_resources.restoration.step import StepName


class RestorationBrief(Section):
    """What may be mended in the track and in its stems; what does not help is taken back, whatever is asked."""

    preset: Preset = Field(
        default="balanced", description="how much of what is amiss goes, and how much is put back"
    )
    steps: tuple[StepName, ...] | None = Field(
        default=None,
        strict=False,
        description="null: those that the profile gives a reason for; or which, whatever it says",
    )
    engines: Literal["best", "embedded"] = Field(
        default="best", description="best: models where they are installed; embedded: none of them"
    )

    @field_validator("steps")
    @classmethod
    def _once(cls, steps: tuple[StepName, ...] | None) -> tuple[StepName, ...] | None:
        return None if steps is None else once(steps)
