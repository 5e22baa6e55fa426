"""A track's music as it was planned, where it was: what nobody needs to hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resonate_resources.recordings.tempo_map import TimeSignature


@dataclass(frozen=True)
class PlannedSection:
    start_s: float
    name: str


@dataclass(frozen=True)
class PlannedMusic:
    """In one tempo, metre and key from 0 on.

    tempo_bpm, beats_s: of what `signature` counts; downbeats_s are among the beats. swing: where in a beat its
    second half begins, 0.5 straight; None where that is not known. key: major or minor, on the tonic and with the
    third of the mode that it is in; mode: a church mode, None of plain major and minor. sections: rising, from 0.
    """

    tempo_bpm: float
    beats_s: Sequence[float]
    downbeats_s: Sequence[float]
    signature: TimeSignature
    swing: float | None
    key: str
    mode: str | None
    sections: Sequence[PlannedSection]
