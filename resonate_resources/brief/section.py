"""What every section of a brief is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from resonate_resources.recipe import Json

STEM_NAMES = ("vocals", "drums", "bass", "other", "piano", "guitar")


T = TypeVar("T")


def once(values: tuple[T, ...]) -> tuple[T, ...]:
    """Each value once, in the order in which they first stand."""
    return tuple(dict.fromkeys(values))


def absolute(place: str) -> str:
    """A path that means the same wherever it is read, or none. Raises ValueError."""
    if place and not Path(place).is_absolute():
        raise ValueError("is no absolute path")
    return place


def absolute_or_object(place: str) -> str:
    """The same, or an object on S3. Raises ValueError."""
    return place if re.fullmatch(r"s3://[^/]+/.*[^/]", place) else absolute(place)


class Section(BaseModel):
    """One stage's part of the brief. Unknown names and values out of range are errors; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def asked(self) -> dict[str, Json]:
        """Its values in JSON's types, for a recipe."""
        return self.model_dump(mode="json")
