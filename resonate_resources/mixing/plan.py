"""The plan of a mix: what is done to each stem, what was wished, and why not more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from resonate_resources.signal.octaves import OCTAVES_HZ

Octaves = tuple[float, ...]
"""A gain in dB at each of OCTAVES_HZ, on top of the others; phase stays."""

EVEN: Octaves = (0.0,) * len(OCTAVES_HZ)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StemPlan(_Frozen):
    """wished_db and gain_db, tone_wished_db and tone_db: of the stem, before and after what the stems are worth was
    asked. width_db: its side against its mid, by octave. present: how far it is part of the music, 0 to 1.
    loudness_lufs: as it came, None of silence.
    """

    wished_db: float
    gain_db: float
    present: float
    loudness_lufs: float | None
    tone_wished_db: Octaves = EVEN
    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN


class MixPlan(_Frozen):
    """balance: which was chosen; rough: how far the track is one that was never mixed, 0 to 1.

    tone_db and width_db: of all stems together. reasons: one line each. master-only mixes the track itself.
    """

    balance: str
    rough: float
    reasons: tuple[str, ...]
    stems: Mapping[str, StemPlan]
    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN

    @property
    def moves_nothing(self) -> bool:
        stems = self.stems.values()
        filters = [self.tone_db, self.width_db]
        for stem in stems:
            filters += [stem.tone_db, stem.width_db]
        return all(stem.gain_db == 0 for stem in stems) and all(not any(gains) for gains in filters)

    @classmethod
    def read(cls, path: Path) -> MixPlan:
        """Raises pydantic's ValidationError for a file that is no plan."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
