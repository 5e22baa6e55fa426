"""Drum strokes from rises of level in three bands: kick, snare and hi-hat as General MIDI percussion keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.band_levels import band_levels, bands_between
from resonate_resources.signal.onsets import find_onsets, onset_strength

SAMPLE_RATE = 44100
_HOP = 256  # 5.8 ms
_FRAME = 1024
_GATE_DB = -70.0  # silence, as for BS.1770's absolute gate
_FLOOR_DB = -30.0  # against a band's loudest frame: what is quieter does not count as a level to rise from
_RISE_DB = 6.0
_GAP = 2  # frames: a stroke rises within 12 ms
_APART_S = 0.05  # the fastest roll that is still heard as strokes
_RING_S = 0.06  # a drum rings; the click of another drum's beater in its band is over by then
_STROKE_S = 0.1  # strokes have no length of their own: long enough for samplers that heed note-offs


@dataclass(frozen=True)
class Drum:
    """A General MIDI percussion key, the band in Hz that tells the drum from the others, and how far its
    softest stroke is under its loudest in dB."""

    key: int
    band_hz: tuple[float, float]
    range_db: float


# Where each drum is on its own: the membrane, the wires, the cymbals.
DRUMS = (
    Drum(36, (30.0, 110.0), 20.0),  # bass drum
    Drum(38, (1000.0, 5000.0), 10.0),  # snare: narrow, as kick and cymbals reach into the band of the wires
    Drum(42, (7000.0, 16000.0), 25.0),  # closed hi-hat
)


class DrumBands:
    """The drum transcriber of the base install: no model, only levels."""

    def strokes(self, stem: Recording, progress: Progress = silent) -> list[Note]:
        bands = bands_between([drum.band_hz for drum in DRUMS], SAMPLE_RATE, _FRAME)
        levels = band_levels(stem, bands, SAMPLE_RATE, _HOP, progress)  # 8 MB an hour
        return sorted(
            Note(onset, onset + _STROKE_S, drum.key, velocity)
            for drum, level in zip(DRUMS, levels.T, strict=True)
            for onset, velocity in _strokes(level, drum.range_db)
        )


def _strokes(level: npt.NDArray[np.float32], range_db: float) -> list[tuple[float, int]]:
    """Onsets in seconds and velocities of one drum, from its band's level in dB."""
    from scipy.ndimage import uniform_filter1d

    loudest = float(level.max(initial=-np.inf))
    if loudest < _GATE_DB:
        return []
    floor = max(loudest + _FLOOR_DB, _GATE_DB)
    rise = onset_strength(level[:, np.newaxis], floor, gap=_GAP, loudest_of=3)
    ring = round(_RING_S * SAMPLE_RATE / _HOP)
    power = uniform_filter1d(10 ** (level / 10), ring, origin=-(ring // 2), mode="constant")
    strength = 10 * np.log10(np.maximum(power, 1e-12))
    onsets = find_onsets(rise, _RISE_DB, round(_APART_S * SAMPLE_RATE / _HOP)) - _GAP // 2
    onsets = onsets.clip(min=0)
    onsets = onsets[strength[onsets] > strength[onsets].max(initial=-np.inf) - range_db]
    loudest_stroke = strength[onsets].max(initial=-np.inf)
    # Downloadable Sounds level 1: the level of a velocity is 40·log10(velocity/127) dB.
    velocities = np.rint(127 * 10 ** ((strength[onsets] - loudest_stroke) / 40)).astype(int)
    return list(zip((onsets * _HOP / SAMPLE_RATE).tolist(), velocities.tolist(), strict=True))
