"""A part's channel strip: freed of lows, gently equalised, its lows mono, as wide as its role is, placed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.sound.mixing_table import Tone
from resonate_resources.recordings.recording import Samples

_MONO_UNDER_HZ: Final = 120.0  # records are cut so, and clubs play so
_MUD_HZ, _PRESENCE_HZ, _BRIGHT_HZ = 300.0, 3000.0, 4000.0
_BELL_Q: Final = 0.8
_WIDEST: Final = 2.0
_MOST_SHELF_DB: Final = 6.0

Section = npt.NDArray[np.float64]


def stripped(blocks: Iterator[Samples], tone: Tone, rate: int) -> Iterator[Samples]:
    """The stream freed of lows and equalised, its lows in the middle; of the same length."""
    from scipy.signal import butter, sosfilt

    shaping = np.concatenate(
        [
            butter(2, tone.low_hz, "highpass", fs=rate, output="sos"),
            [
                bell(_MUD_HZ, tone.mud_db, rate),
                bell(_PRESENCE_HZ, tone.presence_db, rate),
            ],
        ]
    )
    narrowing = butter(2, _MONO_UNDER_HZ, "highpass", fs=rate, output="sos")
    shaped, side_state = np.zeros((len(shaping), 2, 2)), np.zeros((len(narrowing), 2))
    for block in blocks:
        sound, shaped = sosfilt(shaping, block.astype(np.float64), zi=shaped)
        side, side_state = sosfilt(narrowing, (sound[0] - sound[1]) / 2, zi=side_state)
        for state in (shaped, side_state):
            state[np.abs(state) < 1e-30] = 0.0  # denormals are slow
        mid = (sound[0] + sound[1]) / 2
        yield np.stack([mid + side, mid - side]).astype(np.float32)


class ToneMeter:
    """Powers of the middle, of the side, and of what lies over 4 kHz, of what it is given."""

    def __init__(self, rate: int) -> None:
        from scipy.signal import butter

        self._over = butter(3, _BRIGHT_HZ, "highpass", fs=rate, output="sos")
        self._state = np.zeros((len(self._over), 2, 2))
        self._mid = self._side = self._bright = 0.0

    def update(self, block: Samples) -> None:
        """Take the next (2, frames)."""
        from scipy.signal import sosfilt

        sound = block.astype(np.float64)
        self._mid += float(np.sum(np.square(sound[0] + sound[1]))) / 2
        self._side += float(np.sum(np.square(sound[0] - sound[1]))) / 2
        over, self._state = sosfilt(self._over, sound, zi=self._state)
        self._state[np.abs(self._state) < 1e-30] = 0.0
        self._bright += float(np.sum(np.square(over)))

    def width(self, side_db: float) -> float:
        """Factor of the side, so that it is that loud against the middle; at most 2, 1 for what is mono."""
        if not self._mid or self._side <= 1e-6 * self._mid:
            return 1.0
        return min(_WIDEST, math.sqrt(10 ** (side_db / 10) * self._mid / self._side))

    def shelf_db(self, bright_db: float, lifts: bool) -> float:
        """What brings the highs to that level against all of it; at most 6 dB down, or half that up where it
        lifts."""
        if not self._bright:
            return 0.0
        lacking = bright_db - 10 * math.log10(self._bright / (self._mid + self._side))
        return max(-_MOST_SHELF_DB, min(_MOST_SHELF_DB / 2 if lifts else 0.0, lacking))


@dataclass(frozen=True)
class Fader:
    """What a part is brought into the mix with. gain, width: factors of all of it and of its side. pan: −1…1, at
    equal power. ceiling: what is over half of it bends towards it."""

    gain: float
    width: float
    shelf_db: float
    pan: float
    ceiling: float

    def through(self, blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
        """The stream, of the same length."""
        from scipy.signal import sosfilt

        shelf = high_shelf(_BRIGHT_HZ, self.shelf_db, rate)[np.newaxis]
        state = np.zeros((1, 2, 2))
        angle = (self.pan + 1) * np.pi / 4
        left, right = np.sqrt(2) * np.cos(angle), np.sqrt(2) * np.sin(angle)
        for block in blocks:
            sound, state = sosfilt(shelf, block.astype(np.float64), zi=state)
            state[np.abs(state) < 1e-30] = 0.0
            mid = (sound[0] + sound[1]) * (self.gain / 2)
            side = (sound[0] - sound[1]) * (self.gain * self.width / 2)
            yield _bent(
                np.stack([left * (mid + side), right * (mid - side)]).astype(np.float32), self.ceiling
            )


def _bent(sound: Samples, ceiling: float) -> Samples:
    """As a tape does with peaks: straight up to half the ceiling, then a hyperbolic tangent of slope 1 at first."""
    size, half = np.abs(sound), ceiling / 2
    if size.max(initial=0.0) <= half:
        return sound
    bent = half + half * np.tanh((size - half) / half)
    return np.where(size > half, np.sign(sound) * bent, sound).astype(np.float32)


def bell(hz: float, gain_db: float, rate: int) -> Section:
    """A second-order section (Bristow-Johnson, "Cookbook formulae for audio EQ", peaking)."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / rate
    alpha = np.sin(w) / (2 * _BELL_Q)
    b = np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a])
    over = np.array([1 + alpha / a, -2 * np.cos(w), 1 - alpha / a])
    return np.asarray(np.concatenate([b, over]) / over[0], np.float64)


def high_shelf(hz: float, gain_db: float, rate: int) -> Section:
    """The same, high shelf of slope 1."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / rate
    cos, beta = np.cos(w), 2 * np.sqrt(a) * np.sin(w) / np.sqrt(2)
    b = a * np.array(
        [(a + 1) + (a - 1) * cos + beta, -2 * ((a - 1) + (a + 1) * cos), (a + 1) + (a - 1) * cos - beta]
    )
    over = np.array(
        [(a + 1) - (a - 1) * cos + beta, 2 * ((a - 1) - (a + 1) * cos), (a + 1) - (a - 1) * cos - beta]
    )
    return np.asarray(np.concatenate([b, over]) / over[0], np.float64)
