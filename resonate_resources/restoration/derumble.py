"""Rumble: what never rests under the lowest string of a bass, where nothing of the music is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording
from resonate_resources.restoration.rumble import BAND_HZ, cut_rumble
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.bandwidth import Levels, measure_line_levels

UNDER_DB: Mapping[Preset, float] = {"conservative": 30.0, "balanced": 24.0, "aggressive": 18.0}
"""How far 20–40 Hz lies under 80–200 Hz where nothing of the music is there: the demo song's by 4 dB, after a
filter of 18 dB an octave at 100 Hz by 24."""

_BASS_BAND_HZ = (80.0, 200.0)
_HEARD_DB = 60.0  # under 80–200 Hz; what is softer is no rumble
_RESTS_DB = (
    20.0  # from its 95th down to its 10th percentile: of steady noise in one channel 15, of kicks 30 and more
)


class Derumble:
    """A cut of linear phase under 40 Hz."""

    name: StepName = "derumble"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "linear-phase high-pass")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self,
        recording: Recording,
        facts: Facts,  # noqa: ARG002 — traces tell nothing of what lies under 40 Hz
        preset: Preset,
        path: Path,
        progress: Progress,
    ) -> Mended:
        """See `Step`."""
        levels = measure_line_levels(recording.blocks(), recording.sample_rate)
        lowest_db = _band_db(levels.mean_db, recording.sample_rate, BAND_HZ)
        under_db = _band_db(levels.mean_db, recording.sample_rate, _BASS_BAND_HZ) - lowest_db
        measures = {"rumble_under_bass_db": under_db}
        if not UNDER_DB[preset] <= under_db <= _HEARD_DB:
            return Mended(recording, f"20–40 Hz lies {under_db:.0f} dB under 80–200 Hz: no rumble", measures)
        rests_db = _band_db(levels.high_db, recording.sample_rate, BAND_HZ) - _band_db(
            levels.low_db, recording.sample_rate, BAND_HZ
        )
        if rests_db > _RESTS_DB:
            return Mended(recording, f"20–40 Hz comes and goes, by {rests_db:.0f} dB: no rumble", measures)
        mended, parts = cut_rumble(recording, path)
        progress(1.0)
        return Mended(mended, f"rumble under 40 Hz cut, {100 * parts:.1g} % of all energy", measures)


def _band_db(line_db: Levels, sample_rate: int, band_hz: tuple[float, float]) -> float:
    """Mean of the lines' power, in dB."""
    hertz = np.linspace(0, sample_rate / 2, len(line_db))
    inside = line_db[(hertz >= band_hz[0]) & (hertz <= band_hz[1])]
    return float(10 * np.log10(np.mean(10 ** (inside / 10))))
