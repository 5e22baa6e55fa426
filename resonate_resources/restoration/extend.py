"""Octaves that a narrow band lost: highs copied up at the level that music has there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import BLOCK_FRAMES, Progress, Recording, write_recording
from resonate_resources.restoration.short_time import (
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.restoration.upper_band import look, made
from resonate_resources.restoration.upper_envelope import SECONDS
from resonate_resources.signal.blocks import in_blocks

_WALL_HZ, _ROOM = 14_000.0, 0.85
_LACKING_DB: Mapping[Preset, float] = {"conservative": 15.0, "balanced": 10.0, "aggressive": 6.0}
_SURELY_BELOW = 0.98


@dataclass(frozen=True)
class Extend:
    name: StepName = "extend"

    @property
    def engine(self) -> Engine:
        return Engine("spectral extension", "upper_envelope")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        rate = recording.sample_rate
        traces = facts.traces
        cut = _SURELY_BELOW * traces.bandwidth_hz
        natural = traces.cut == "natural"
        if (
            traces.cut == "none"
            or (natural and traces.bandwidth_hz > 12_500)
            or not 0 < traces.bandwidth_hz <= min(_WALL_HZ, _ROOM * rate / 2)
        ):
            return Mended(recording, "no cut")
        band = look(recording.blocks, cut, rate, wall=not natural)
        lacking = band.lacking_db
        if lacking < _LACKING_DB[preset]:
            return Mended(recording, f"natural: lacks {lacking:.0f} dB only", {"lacking_db": lacking})
        size = window_frames(rate, SECONDS)
        added = in_blocks(
            overlap_added(
                made(short_time_spectra(recording.blocks(), size, root_hann), band),
                size,
                recording.frames,
                root_hann,
            ),
            BLOCK_FRAMES,
        )
        with write_recording(path, rate, recording.channels, recording.frames) as writer:
            for block, more in zip(recording.blocks(), added, strict=True):
                writer.write(block + more)
        return Mended(writer.recording, "extended", {"lacking_db": lacking, "cut_hz": band.cut_hz})
