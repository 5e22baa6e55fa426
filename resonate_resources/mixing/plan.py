"""The plan of a mix: what is done to each stem, what was wished, and why not more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StemPlan(_Frozen):
    """wished_db and gain_db: of the stem, before and after what the stems are worth was asked. present: how far it
    is part of the music, 0 to 1. loudness_lufs: as it came, None of silence.
    """

    wished_db: float
    gain_db: float
    present: float
    loudness_lufs: float | None


class MixPlan(_Frozen):
    """balance: which was chosen; rough: how far the track is one that was never mixed, 0 to 1.

    reasons: one line each. naturalise: how much of each part of naturalisation the voice gets, 0 to 1; what is not
    named, none. master-only mixes the track itself.
    """

    balance: str
    rough: float
    reasons: tuple[str, ...]
    stems: Mapping[str, StemPlan]
    naturalise: Mapping[str, float] = {}

    @property
    def moves_nothing(self) -> bool:
        return all(stem.gain_db == 0 for stem in self.stems.values())

    @classmethod
    def read(cls, path: Path) -> MixPlan:
        """Raises pydantic's ValidationError for a file that is no plan."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
