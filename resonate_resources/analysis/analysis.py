"""The analysis of a track, as it is kept: typed, as JSON, and its rows as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from resonate_resources.analysis import space
from resonate_resources.analysis.delay import Delay
from resonate_resources.analysis.envelopes import Envelope
from resonate_resources.analysis.filters import Sweep
from resonate_resources.analysis.robotic import HeldPitch
from resonate_resources.harmony.chords import Chord
from resonate_resources.signal.pumping import Pumping

ANALYSIS = "analysis.json"

SectionName = Literal[
    "intro", "verse", "pre_chorus", "chorus", "bridge", "build", "drop", "breakdown", "solo", "outro"
]
"""Five of them are heard: intro, verse, chorus, bridge, outro. The others are told by plans alone."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Section(Frozen):
    """Sections of one letter are the same music. name: what it may be called, a hint, None where nothing tells;
    what the plan calls it, where the track has one.
    confidence: 0 to 1, that it begins there. bar: the number of its first, from 1."""

    bar: int
    start_s: float
    end_s: float
    label: str
    confidence: float
    name: SectionName | None
    name_confidence: float
    level_db: float
    plays: tuple[str, ...]


class Bar(Frozen):
    """level_db: RMS of all stems together, full scale 1. repeats: the number of the earlier bar, from 1, that it is
    like; None of what is new."""

    start_s: float
    end_s: float
    section: str
    chords: tuple[str, ...]
    plays: tuple[str, ...]
    level_db: float
    repeats: int | None


@dataclass(frozen=True)
class Space(space.Space):
    """delays: by stem."""

    delays: dict[str, Delay]


class Equalisation(Frozen):
    """Mean spectra in dB by thirds of an octave, as of `third_octaves`: of the track, of each of its sections, and
    of each stem that plays."""

    thirds_hz: tuple[float, ...]
    track_db: tuple[float, ...]
    sections_db: tuple[tuple[float, ...], ...]
    stems_db: dict[str, tuple[float, ...]]


class Analysis(Frozen):
    """bars: one after the other, from the grid of the profile; where there is none, stretches of 2 s, and
    has_bars is false. By stem: pumping, envelopes, sweeps. holes: of the track, 0 to 1, see
    `signal.spectral_holes`; None where it has no highs. drum_envelopes: by drum, as `signal.drum_network.DRUMS`
    names them. held_pitch: of the voice, None where there is none that holds notes. melody_from: the stem that the
    melody was heard in, or "track". methods: estimate → how it was made."""

    has_bars: bool
    bars: tuple[Bar, ...]
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]
    pumping: dict[str, Pumping]
    space: Space
    holes: float | None
    held_pitch: HeldPitch | None
    envelopes: dict[str, Envelope]
    drum_envelopes: dict[str, Envelope]
    sweeps: dict[str, tuple[Sweep, ...]]
    equalisation: Equalisation
    melody_from: str
    methods: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Analysis:
        """Raises pydantic's ValidationError for a file that is none."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def write_rows(rows: Sequence[BaseModel], path: Path) -> None:
    """A Parquet table with a row for each, columns as they are called; none of no rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([row.model_dump() for row in rows]), path)
