"""How much louder a part's notes are the harder they are struck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.regeneration.candidate import Part

_ATTACK_S: Final = 0.1
_NOTES: Final = 60
_FEWEST: Final = 6
_STEEPEST_DB: Final = 0.5  # from pianissimo to fortissimo 60 dB: more is chance
_USUAL_DB: Final = 0.25  # 24 dB from velocity 31 to 127, where the stem doesn't tell
_MOST_DB: Final = 12.0


def db_per_velocity(part: Part, notes: Sequence[Note]) -> float:
    """The slope of level in dB over velocity in the first 100 ms of notes, 0 to 0.5."""
    if len({note.velocity for note in notes}) < 2 or len(notes) < _FEWEST:
        return _USUAL_DB
    chosen = [notes[i] for i in np.unique(np.linspace(0, len(notes) - 1, _NOTES).astype(int))]
    rate = part.sample_rate
    levels, velocities = [], []
    for note in chosen:
        start = round(note.onset_s * rate)
        power = float(np.square(part.recording.read(start, start + round(_ATTACK_S * rate))).mean())
        if power > 1e-10:
            levels.append(10 * np.log10(power))
            velocities.append(note.velocity)
    if len(levels) < _FEWEST or np.ptp(velocities) == 0:
        return _USUAL_DB
    return float(np.clip(np.polyfit(velocities, levels, 1)[0], 0.0, _STEEPEST_DB))


def gain_between(slope_db: float, velocity: int, wanted: int) -> float:
    """The amplitude that makes a note of one velocity one of another; within 12 dB."""
    return float(10 ** (np.clip(slope_db * (wanted - velocity), -_MOST_DB, _MOST_DB) / 20))
