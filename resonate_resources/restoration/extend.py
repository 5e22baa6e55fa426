"""Octaves that a narrow band lost: highs copied up from below the cut, at the level that music has there; of a
bass, lows lifted, or made where nothing is left of them.

Below a cut the recording stays itself to the last bit. What is added above it is not what was there: it has its
level and its attacks, and no phase in common with it, so that SI-SDR falls by up to 3 dB of what the loss itself
cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    Progress,
    Recording,
    Samples,
    write_recording,
)
from resonate_resources.restoration.lower_band import lacking_lows, with_lows
from resonate_resources.restoration.short_time import (
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.restoration.upper_band import UpperBand, look, made
from resonate_resources.restoration.upper_envelope import SECONDS
from resonate_resources.signal.bandwidth import measure_line_levels
from resonate_resources.signal.blocks import in_blocks


@dataclass(frozen=True)
class Reach:
    """wall_hz: up to where a brick wall is a loss; natural_hz: a gentler end, of a whole track. lacking_db: how
    far the highs must lie under what music has there; dark_db: where they end gently and no microphone is known
    to have ended them, as a dark instrument does. lift_db: by how much a bass's lows are lifted at most."""

    wall_hz: float
    natural_hz: float
    lacking_db: float
    dark_db: float
    lift_db: float


REACHES: Mapping[Preset, Reach] = {
    "conservative": Reach(11_500.0, 10_000.0, 15.0, 18.0, 6.0),
    "balanced": Reach(14_000.0, 12_500.0, 10.0, 13.0, 12.0),
    "aggressive": Reach(16_400.0, 14_000.0, 8.0, 10.0, 18.0),
}
"""Behind a wall at 15.5 kHz what is added is as far from the truth as nothing is, and a third further at the median
(docs/measurements.md): the balanced one ends where adding still helps. Of 93 songs that no filter cut below 14
kHz none ends under 12.5 kHz and lacks over 7 dB, of lone parts and quiet stretches of 10 s a few lack 11 to 16;
behind a phone's microphone songs lack 9 to 23 dB."""

_ROOM = 0.85  # of the Nyquist frequency: what is left above it is not worth filling
_SURELY_BELOW = 0.98  # of where the spectrum ends: a filter's ripple and the windows' leakage


@dataclass(frozen=True)
class Extend:
    """Highs and lows by the numbers in `upper_envelope.npz`; it needs no weights but those."""

    name: StepName = "extend"

    @property
    def engine(self) -> Engine:
        return Engine("spectral extension", "upper_envelope", "GPL-3.0-or-later")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        upper, note = _upper(recording, facts, REACHES[preset])
        lower = None
        if facts.kind == "bass":
            levels = measure_line_levels(recording.blocks(), recording.sample_rate)
            lower = lacking_lows(levels, recording.sample_rate, REACHES[preset].lift_db)
        progress(0.4)
        notes, measures = (
            [note],
            {} if upper is None else {"cut_hz": upper.cut_hz, "lacking_highs_db": upper.lacking_db},
        )
        if lower:
            told = (
                "the octave under 80 to 200 Hz made"
                if lower.octave
                else f"lows lifted by {lower.lift_db:.0f} dB"
            )
            notes.append(told)
            measures["lows_lifted_db"] = lower.lift_db
        if not upper and not lower:
            return Mended(recording, note)
        blocks = with_lows(recording, lower) if lower else recording.blocks()
        added = _added(recording, upper) if upper else None
        written = 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block in in_blocks(blocks, BLOCK_FRAMES):
                writer.write(block + next(added) if added else block)
                written += block.shape[1]
                progress(0.4 + 0.6 * written / recording.frames)
        return Mended(writer.recording, "; ".join(notes), measures)


def _upper(recording: Recording, facts: Facts, reach: Reach) -> tuple[UpperBand | None, str]:
    """What is to be added above the cut, or nothing; and why, in one line."""
    ends_hz, cut = facts.traces.bandwidth_hz, facts.traces.cut
    wall = cut == "brick wall"
    highest_hz = min(reach.wall_hz if wall else reach.natural_hz, _ROOM * recording.sample_rate / 2)
    if cut == "none" or not 0 < ends_hz <= highest_hz:
        return None, "its highs are as they were" if ends_hz else "silence"
    if cut == "natural" and facts.kind != "track":
        # A stem that ends gently ends of itself; where a filter ended the whole track, that was extended before.
        return None, f"ends of itself at {ends_hz / 1000:.1f} kHz"
    upper = look(recording.blocks, _SURELY_BELOW * ends_hz, recording.sample_rate, wall)
    if upper.lacking_db < (reach.lacking_db if wall or facts.colour_db else reach.dark_db):
        return None, f"ends at {ends_hz / 1000:.1f} kHz, and such music has no more above"
    return upper, f"highs from {upper.cut_hz / 1000:.1f} kHz on made: {upper.lacking_db:.0f} dB were lacking"


def _added(recording: Recording, upper: UpperBand) -> Iterator[Samples]:
    size = window_frames(recording.sample_rate, SECONDS)
    return in_blocks(
        overlap_added(
            made(short_time_spectra(recording.blocks(), size, root_hann), upper),
            size,
            recording.frames,
            root_hann,
        ),
        BLOCK_FRAMES,
    )
