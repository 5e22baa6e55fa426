"""What moves in a stem beside its notes, as the analysis heard it: the fall at each kick, filters, the room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.decisions import StemDecision
from resonate_resources.regeneration.facts import SURE, Heard
from resonate_resources.regeneration.filter_movement import FilterMovement
from resonate_resources.regeneration.room_tail import RoomTail
from resonate_resources.regeneration.sidechain import Sidechain
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.pumping import Pumping


class Applied(Protocol):
    def applied(self, blocks: Iterator[Samples]) -> Iterator[Samples]: ...


@dataclass(frozen=True)
class Motion:
    """Of one stem; what is not sure is left out. strokes_s: of the kick; sweeps_s: when filters move, from and to;
    rt60_s: of the room, by octave in Hz."""

    pumping: Pumping | None = None
    strokes_s: Seconds = field(default_factory=lambda: np.zeros(0))
    sweeps_s: Sequence[tuple[float, float]] = ()
    rt60_s: Mapping[str, float | None] = field(default_factory=dict)

    @classmethod
    def of(cls, stem: str, heard: Heard, strokes_s: Seconds) -> Motion:
        known = heard.analysis
        pumping = known.pumping.get(stem)
        return cls(
            pumping if pumping and pumping.confidence >= SURE else None,
            strokes_s,
            [(each.start_s, each.end_s) for each in known.sweeps.get(stem, ()) if each.confidence >= SURE],
            known.space.rt60_s,
        )

    def decided(self, decision: StemDecision) -> Motion:
        """Without what is decided against."""
        return replace(
            self,
            pumping=self.pumping if decision.sidechain else None,
            sweeps_s=self.sweeps_s if decision.sweeps else (),
            rt60_s=self.rt60_s if decision.room else {},
        )

    def before_matching(self, original: Recording, played: Recording) -> Iterator[Applied]:
        """What is to be added to what is played: the fall, then the room that it sounds in. played is heard anew
        for each, so the one is to be applied to its file before the next is asked for."""
        if self.pumping:
            sidechain = Sidechain.lacking(self.pumping, original, played, self.strokes_s)
            if sidechain:
                yield sidechain
        room = RoomTail.lacking(self.rt60_s, original, played)
        if room:
            yield room

    def after_matching(self, original: Recording, matched: Recording) -> Iterator[Applied]:
        """Likewise: what filters do within moments, once the whole has its tone."""
        filters = FilterMovement.following(self.sweeps_s, original, matched)
        if filters:
            yield filters


STILL = Motion()
"""Nothing moves beside the notes."""
