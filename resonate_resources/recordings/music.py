"""What a profile knows of a track's music: grid, tempo, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature

READ = ("tempo_bpm", "beats_s", "downbeats_s", "time_signatures", "swing", "key", "keys")
"""What is read of a profile."""


_SURE = 0.5


@dataclass(frozen=True)
class KeyFrom:
    """A key, as "Eb major", from start_s on."""

    start_s: float
    key: str


@dataclass(frozen=True)
class Music:
    """tempo_bpm: beats a minute, of dotted quarters in 6/8; None where it is not known. keys: in order of time;
    none where there is none to be heard."""

    tempo_bpm: float | None = None
    grid: Grid = field(default_factory=Grid)
    keys: Sequence[KeyFrom] = ()

    @classmethod
    def of(cls, profile: Mapping[str, Any]) -> Music:
        """From a profile as it is written, or from what is READ of it. Keys that are less than half sure are none:
        a file can't say so. Where keys over time are not told, the key holds all along."""
        spans = profile.get("keys") or ()
        keys = [
            KeyFrom(span["start_s"], span["key"]) for span in spans if span.get("confidence", 1.0) >= _SURE
        ]
        if not spans and profile["key"] is not None:
            keys = [KeyFrom(0.0, profile["key"])]
        signatures = [
            TimeSignature(told["start_s"], told["numerator"], told["denominator"])
            for told in profile.get("time_signatures") or ()
        ]
        beats, downbeats = (tuple(profile.get(name) or ()) for name in ("beats_s", "downbeats_s"))
        return cls(
            profile["tempo_bpm"], Grid(beats, downbeats, signatures, profile.get("swing")), tuple(keys)
        )

    def tempo_map(self) -> TempoMap:
        return TempoMap.of(self.grid, self.tempo_bpm)
