"""What all shapes of the API have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """No field that is not named here."""

    model_config = ConfigDict(extra="forbid")
