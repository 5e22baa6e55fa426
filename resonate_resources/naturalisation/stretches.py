"""Where in a voice something can be done: notes that are held, and windows that end where nobody sings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.pitch_track import HOP, SAMPLE_RATE

LOWEST_HZ, HIGHEST_HZ = 80.0, 1200.0
"""Of voices, as notes are heard: E2 to D6."""

FRAME_S = HOP / SAMPLE_RATE

_HELD_S, _LONGEST_S = 0.5, 20.0  # nobody holds a note longer; a drone is taken in parts
_SAME_CENTS = 80.0  # from a note's mean so far: wider than vibrato, nearer than the next semitone's middle
_WINDOW_S, _SOONEST_S = 10.0, 7.0
_ATTACK = 5  # frames at either end of a note, in which pitch is still on its way

Floats = npt.NDArray[np.float64]


class Stretch(NamedTuple):
    """Frames of a pitch track, from start up to stop."""

    start: int
    stop: int

    def samples(self, sample_rate: int, frames: int) -> tuple[int, int]:
        """The same in samples, within a recording of so many."""
        first, last = (min(round(at * FRAME_S * sample_rate), frames) for at in self)
        return first, last


def cents(hertz: npt.NDArray[np.float32]) -> Floats:
    """Over 55 Hz; NaN where nothing is voiced."""
    voiced = np.where(hertz > 0, hertz, np.nan)
    return np.asarray(1200 * np.log2(voiced / 55.0), np.float64)


def held_notes(pitch: Floats) -> Iterator[Stretch]:
    """Stretches of half a second and more that stay on one pitch, in cents."""
    shortest, longest = round(_HELD_S / FRAME_S), round(_LONGEST_S / FRAME_S)
    start, total = 0, 0.0
    for frame, value in enumerate([*pitch.tolist(), float("nan")]):
        count = frame - start
        on = abs(value - total / count) < _SAME_CENTS if count else not np.isnan(value)
        if on and count < longest:
            total += value
            continue
        if count >= shortest:
            yield Stretch(start, frame)
        start, total = (frame + 1, 0.0) if np.isnan(value) else (frame, value)


def steadiness(pitch: Floats) -> float:
    """Standard deviation of a note's pitch, in cents, without its ends."""
    return float(np.nanstd(pitch[_ATTACK:-_ATTACK]))


def windows(pitch: Floats) -> Iterator[Stretch]:
    """All frames in windows of some ten seconds, which end where nothing is voiced, if anywhere in their last
    third; the last one is of up to 17."""
    start = 0
    while start < len(pitch):
        stop = start + round(_WINDOW_S / FRAME_S)
        soonest = start + round(_SOONEST_S / FRAME_S)
        if stop + soonest - start < len(pitch):
            unvoiced = np.flatnonzero(np.isnan(pitch[soonest:stop]))
            stop = soonest + int(unvoiced[-1]) if len(unvoiced) else stop
        else:
            stop = len(pitch)  # a short rest would tell little by itself
        yield Stretch(start, stop)
        start = stop
