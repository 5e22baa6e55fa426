"""The profile's section of the brief: what is known of the track beforehand."""

from __future__ import annotations

from pydantic import Field, field_validator

from resonate_resources.brief.section import Section
from resonate_resources.signal.spelling import spelt


class ProfileBrief(Section):
    """What a person knows counts, and is not estimated. null: to be found out."""

    tempo_bpm: float | None = Field(
        default=None,
        ge=40,
        le=240,
        strict=False,
        description="beats a minute, three eighths each in 6/8; they are tracked at this tempo",
    )
    key: str | None = Field(default=None, description="as in `A minor`, `Bbm`, `F# major` or Camelot's `8A`")
    hints: str = Field(
        default="", max_length=2000, description="in words; kept with the profile and the exports"
    )

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, key: str | None) -> str | None:
        try:
            return None if key is None else spelt(key)
        except ValueError as error:
            raise ValueError("is no key such as `A minor`, `Bbm` or `8A`") from error
