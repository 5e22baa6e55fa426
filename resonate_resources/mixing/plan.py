"""The plan of a mix: what is done to each stem, what was wished, and why not more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

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


class Move(_Frozen):
    """One move at the conductor's desk. value_db: as it was asked, None of what is no finite number.

    before, after: how far the mix was, and would have been, outside what is usual for its kind, in dB. told: why it
    was undone or refused.
    """

    target: str
    parameter: str
    value_db: float | None
    reason: str
    before: float
    after: float
    outcome: Literal["kept", "undone", "refused"]
    told: str = ""


class MixPlan(_Frozen):
    """balance: which was chosen; rough: how far the track is one that was never mixed, 0 to 1.

    tone_db and width_db: of all stems together. reasons: one line each. master-only mixes the track itself.
    moves: of the conductor, in their order, those that were not kept among them. conducted_by: "rules", "none", or
    a model's name.
    """

    balance: str
    rough: float
    reasons: tuple[str, ...]
    stems: Mapping[str, StemPlan]
    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN
    moves: tuple[Move, ...] = ()
    conducted_by: str = "none"

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
