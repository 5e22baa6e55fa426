"""Restoration's section of the brief."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section, once
from resonate_resources.preset import Preset
from resonate_resources.recipe import Json
from resonate_resources.restoration.step import StepName

Mode = Literal["restore", "generate", "blend", "auto"]
Generator = Literal["instruments", "jasco"]


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
    mode: Mode = Field(
        default="restore",
        description="restore; or beside it, as `generated_track`, the music made anew: generate, blend (of both), "
        "auto (by signal to noise: under 5 dB generate, over 15 dB restore, between them blend)",
    )
    blend: float = Field(
        default=0.5, ge=0, le=1, description="of a blend: 0 restored alone, 1 generated alone"
    )
    generator: Generator = Field(
        default="instruments",
        description="what makes it anew: instruments that play its notes; jasco, a model, from its chords, drums "
        "and melody, where its weights are there (not for commercial use)",
    )

    def asked(self) -> dict[str, Json]:
        """Without what is asked of generation."""
        return self.model_dump(mode="json", exclude={"mode", "blend", "generator"})

    @field_validator("steps")
    @classmethod
    def _once(cls, steps: tuple[StepName, ...] | None) -> tuple[StepName, ...] | None:
        return None if steps is None else once(steps)
