"""The plan of a mix: what is done to each stem, what was wished, and why not more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from resonate_resources.signal.compression import Compression
from resonate_resources.signal.octaves import OCTAVES_HZ

Octaves = Annotated[tuple[float, ...], Field(min_length=len(OCTAVES_HZ), max_length=len(OCTAVES_HZ))]
"""A gain in dB at each of OCTAVES_HZ, on top of the others; phase stays."""
Part = Annotated[float, Field(ge=0, le=1)]

EVEN: Octaves = (0.0,) * len(OCTAVES_HZ)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dynamics(_Frozen):
    """settings: whose gain is made by that part, and falls by most_db at most before."""

    settings: Compression
    part: Part
    most_db: Annotated[float, Field(gt=0)]


class Ducking(_Frozen):
    """When the key is struck in its low end, other stems go down: by depths_db, in dB, and reduction in dB then
    falls to 1/e in release_s."""

    depths_db: Mapping[str, Annotated[float, Field(ge=0)]]
    release_s: Annotated[float, Field(gt=0)]
    key: str = "drums"


class MonoBass(_Frozen):
    """What is under below_hz loses that part of its side."""

    below_hz: Annotated[float, Field(gt=0)]
    part: Part


class Section(_Frozen):
    """width_db: of the side of all stems together from start_s to stop_s, by octave."""

    start_s: float
    stop_s: float
    width_db: Octaves


class StemPlan(_Frozen):
    """wished_db and gain_db, tone_wished_db and tone_db: of the stem, before and after what the stems are worth was
    asked. width_db: its side against its mid, by octave. present: how far it is part of the music, 0 to 1.
    loudness_lufs: as it came, None of silence. pan: −1 is left, 1 right. Width and pan are those of two channels,
    and leave others as they are.
    """

    wished_db: float
    gain_db: float
    present: float
    loudness_lufs: float | None
    tone_wished_db: Octaves = EVEN
    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN
    dynamics: Dynamics | None = None
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0

    @property
    def compresses(self) -> bool:
        return self.dynamics is not None and self.dynamics.part > 0

    @property
    def moves_nothing(self) -> bool:
        still = self.gain_db == 0 and self.pan == 0 and not self.compresses
        return still and not any(self.tone_db) and not any(self.width_db)


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

    tone_db, width_db, mono_bass, sections: of all stems together. reasons: one line each. master-only mixes the
    track itself. moves: of the conductor, in their order, those that were not kept among them. conducted_by:
    "rules", "none", or a model's name. naturalise: how much of each part of naturalisation the voice gets, 0 to 1;
    what is not named, none.
    """

    balance: str
    rough: float
    reasons: tuple[str, ...]
    stems: Mapping[str, StemPlan]
    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN
    moves: tuple[Move, ...] = ()
    conducted_by: str = "none"
    mono_bass: MonoBass | None = None
    sections: tuple[Section, ...] = ()
    ducking: Ducking | None = None
    naturalise: Mapping[str, float] = {}

    @property
    def shapes_whole(self) -> bool:
        """Whether tone or width of all stems together move."""
        narrowed = self.mono_bass is not None and self.mono_bass.part > 0
        widths = [self.width_db, *(section.width_db for section in self.sections)]
        return narrowed or any(self.tone_db) or any(map(any, widths))

    @property
    def moves_nothing(self) -> bool:
        ducks = self.ducking is not None and any(self.ducking.depths_db.values())
        still = all(stem.moves_nothing for stem in self.stems.values())
        return still and not ducks and not self.shapes_whole

    @classmethod
    def read(cls, path: Path) -> MixPlan:
        """Raises pydantic's ValidationError for a file that is no plan."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
