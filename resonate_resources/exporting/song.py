"""A track as programs for music want it: its grid, its sections, its key and its sound, all on one time line.

Every target is written from this and from nothing else, so that a beat is at the same millisecond in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from resonate_resources.exporting.provenance import Provenance
from resonate_resources.recipe import Product
from resonate_resources.recordings.music import KeyFrom
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap


@dataclass(frozen=True)
class Marker:
    """A section: what it is called ("Chorus", "A"), from start_s to end_s."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Beat:
    """second: in the recording. quarter: its place in quarter notes from the recording's first sample, by which
    sequencers count. bar, beat: both from 1; see `TempoMap.place`. down: whether a bar begins with it."""

    second: float
    quarter: float
    bar: int
    beat: float
    down: bool


@dataclass(frozen=True)
class Song:
    """tags: artist and title, tempo and key as they are to be told. tempo_map, grid: the one grid. original: the
    recording that came in, of the same time line as stems, master and notes. notes: stem → MIDI file. source: the
    file that came in, as its owner has it; None where there is no such file any more (buckets). provenance: how its
    sound was made; None where that is not known. source_changed: whether
    another sound may be in that file by now: its bytes are others. rebuilt: stem → what the report of rebuilt stems
    tells of it; nothing where a target was not given them."""

    track: str
    tags: Tags
    grid: Grid
    tempo_map: TempoMap
    keys: Sequence[KeyFrom]
    sections: Sequence[Marker]
    original: Recording
    stems: Stems
    master: Recording
    notes: Mapping[str, Path]
    source: Path | None = None
    provenance: Provenance | None = None
    source_changed: bool = False
    rebuilt: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, str]:
        """What tags are told beyond those of the music."""
        return self.provenance.tags() if self.provenance else {}

    def beats(self) -> tuple[Beat, ...]:
        """The beats that were tracked, where the tempo map has them: within 8 ms of where they were heard, which is
        known to 10 ms. So all targets and the notes have one grid. None with fewer than two beats."""
        from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT

        downbeats = set(self.grid.downbeats_s)
        return tuple(
            Beat(
                self.tempo_map.second(tick),
                tick / TICKS_PER_BEAT,
                *self.tempo_map.place(tick),
                tracked in downbeats,
            )
            for tracked, tick in zip(self.grid.beats_s, self.tempo_map.beats, strict=False)
        )


class Target(Protocol):
    """A program, or a format, that a song goes out to."""

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """Files by their names in the target's folder; notes: what it could not hold. Streams sound by blocks.

        Raises AudioError."""
        ...
