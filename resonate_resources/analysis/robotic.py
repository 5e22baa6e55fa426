"""Whether a voice is sung by a machine: how still its held notes are, how near to the grid.

The measure that `naturalisation` holds vibrato to is of single notes that it changes; this one is of a whole stem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.pitch_track import pitch_track

_VOICE_HZ = (65.0, 1100.0)
_HELD = 20  # frames of 10 ms: 0.2 s
_HELD_SEMITONES = 1.0  # a glide is no held note
_FEWEST = 8  # windows


@dataclass(frozen=True)
class HeldPitch:
    """wander_cents: standard deviation of the pitch within 0.2 s of a held note, the median of all; on_grid: 0 to
    1, how near held pitches are to semitones of one tuning (length of the mean direction): 1 for exactly on it."""

    wander_cents: float
    on_grid: float
    windows: int


def hear_held_pitch(voice: Recording) -> HeldPitch | None:
    """None of a stem with less than 1.6 s of held notes."""
    return held_pitch_of(pitch_track(voice, *_VOICE_HZ).hertz)


def held_pitch_of(hertz: npt.NDArray[np.float32]) -> HeldPitch | None:
    """Of a pitch each 10 ms, (frames,), 0 where nothing is voiced."""
    whole = hertz[: len(hertz) // _HELD * _HELD].reshape(-1, _HELD)
    voiced = whole[(whole > 0).all(axis=1)].astype(np.float64)
    semitones = 12 * np.log2(voiced / 440)
    held = semitones[np.ptp(semitones, axis=1) < _HELD_SEMITONES]
    if len(held) < _FEWEST:
        return None
    directions = np.exp(2j * np.pi * held.mean(axis=1))
    return HeldPitch(float(100 * np.median(held.std(axis=1))), float(np.abs(directions.mean())), len(held))
