"""The analysis of a track, as it is kept: typed, as JSON, and its rows as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from resonate_resources.analysis.chords import Chord

ANALYSIS = "analysis.json"

SectionName = Literal["intro", "verse", "chorus", "bridge", "outro"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Section(Frozen):
    """Sections of one letter are the same music. name: what it may be called, a hint, None where nothing tells.
    confidence: 0 to 1, that it begins there; width_db: side over mid power, None of mono or silence."""

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


class Pumping(Frozen):
    """See `signal.pumping.Pumping`."""

    depth_db: float
    release_s: float
    shape: Literal["exponential", "linear"]
    confidence: float


class Delay(Frozen):
    """See `delay.Delay`."""

    time_s: float
    level_db: float
    confidence: float


class Space(Frozen):
    """See `space.Space`. delays: by stem."""

    rt60_s: dict[int, float | None]
    confidence: float
    delays: dict[str, Delay]


class Comb(Frozen):
    """See `traces.Comb`."""

    spacing_hz: float
    teeth: int
    height_db: float


class Hum(Frozen):
    """See `traces.Hum`."""

    mains_hz: int
    level_dbfs: float


class HeldPitch(Frozen):
    """See `robotic.HeldPitch`."""

    wander_cents: float
    on_grid: float
    windows: int


class Traces(Frozen):
    """See `traces.Traces`. held_pitch: of the voice, None where there is none that holds notes."""

    cut: Literal["none", "natural", "brick wall", "phone band"]
    bandwidth_hz: float
    cut_fits: tuple[str, ...]
    comb: Comb | None
    images_hz: tuple[float, ...]
    shimmer: float | None
    hum: Hum | None
    dc: tuple[float, ...]
    flat_tops: int
    noise_floor_dbfs: float | None
    held_pitch: HeldPitch | None


class Envelope(Frozen):
    """See `envelopes.Envelope` and `drum_envelopes`."""

    attack_s: float
    decay_s: float
    sustain_db: float | None
    release_s: float | None
    notes: int
    confidence: float


class Sweep(Frozen):
    """See `filters.Sweep`."""

    kind: Literal["low-pass", "high-pass"]
    start_s: float
    end_s: float
    from_hz: float
    to_hz: float
    confidence: float


class Analysis(Frozen):
    """bars: one after the other, from the grid of the profile; where there is none, stretches of 2 s, and
    has_bars is false. By stem: pumping, envelopes, sweeps. drum_envelopes: by drum, as `signal.drum_network.DRUMS`
    names them. methods: estimate → how it was made."""

    has_bars: bool
    bars: tuple[Bar, ...]
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]
    pumping: dict[str, Pumping]
    space: Space
    traces: Traces
    envelopes: dict[str, Envelope]
    drum_envelopes: dict[str, Envelope]
    sweeps: dict[str, tuple[Sweep, ...]]
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
