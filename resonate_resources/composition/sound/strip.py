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
_MUD_HZ, _MID_HZ, _PRESENCE_HZ, _BRIGHT_HZ = 300.0, 2000.0, 2000.0, 4000.0
_PRESENCE_BAND_HZ: Final = (1400.0, 2800.0)
_BELL_Q: Final = 0.8
_MID_Q: Final = 0.7
_PRESENCE_Q: Final = 1.2
_WIDEST: Final = 2.0
_MOST_SHELF_DB: Final = 6.0
_MOST_PRESENCE_DB: Final = 9.0

Section = npt.NDArray[np.float64]


def stripped(blocks: Iterator[Samples], tone: Tone, rate: int) -> Iterator[Samples]:
    """The stream freed of lows and equalised, its lows in the middle; of the same length."""
    from scipy.signal import butter, sosfilt

    shaping = np.concatenate(
        [
            butter(2, tone.low_hz, "highpass", fs=rate, output="sos"),
            [bell(_MUD_HZ, tone.mud_db, _BELL_Q, rate)],
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
    """Powers of the middle, of the side, from 1.4 to 2.8 kHz, and over 4 kHz, of what it is given."""

    def __init__(self, rate: int) -> None:
        from scipy.signal import butter

        self._rate = rate
        self._filters = (
            butter(2, _PRESENCE_BAND_HZ, "bandpass", fs=rate, output="sos"),
            butter(3, _BRIGHT_HZ, "highpass", fs=rate, output="sos"),
        )
        self._states = [np.zeros((len(each), 2, 2)) for each in self._filters]
        self._mid = self._side = 0.0
        self._bands = [0.0, 0.0]

    def update(self, block: Samples) -> None:
        """Take the next (2, frames)."""
        from scipy.signal import sosfilt

        sound = block.astype(np.float64)
        self._mid += float(np.sum(np.square(sound[0] + sound[1]))) / 2
        self._side += float(np.sum(np.square(sound[0] - sound[1]))) / 2
        for place, sections in enumerate(self._filters):
            band, state = sosfilt(sections, sound, zi=self._states[place])
            state[np.abs(state) < 1e-30] = 0.0
            self._states[place] = state
            self._bands[place] += float(np.sum(np.square(band)))

    def width(self, side_db: float) -> float:
        """Factor of the side, so that it is that loud against the middle; at most 2, 1 for what is mono."""
        if not self._mid or self._side <= 1e-6 * self._mid:
            return 1.0
        return min(_WIDEST, math.sqrt(10 ** (side_db / 10) * self._mid / self._side))

    def equaliser(self, tone: Tone, lifts: bool) -> Section:
        """(3, 6): the tone's bell in the mids, one that takes presence down to its level, by 9 dB at most,
        and a shelf that takes the highs
        down to theirs, by 6 dB at most; or up, by half as much, where it lifts."""
        presence, bright = (self._lacking(wanted, band) for wanted, band in zip(
            (tone.presence_db, tone.bright_db), self._bands, strict=True))  # fmt: skip
        presence = max(-_MOST_PRESENCE_DB, min(0.0, presence))
        bright = max(-_MOST_SHELF_DB, min(_MOST_SHELF_DB / 2 if lifts else 0.0, bright))
        return np.stack(
            [
                bell(_MID_HZ, tone.mid_db, _MID_Q, self._rate),
                bell(_PRESENCE_HZ, presence, _PRESENCE_Q, self._rate),
                high_shelf(_BRIGHT_HZ, bright, self._rate),
            ]
        )

    def _lacking(self, wanted_db: float, power: float) -> float:
        return wanted_db - 10 * math.log10(power / (self._mid + self._side)) if power else 0.0


def equalised(blocks: Iterator[Samples], sections: Section) -> Iterator[Samples]:
    """The stream through second-order sections, of the same length."""
    from scipy.signal import sosfilt

    state = np.zeros((len(sections), 2, 2))
    for block in blocks:
        sound, state = sosfilt(sections, block.astype(np.float64), zi=state)
        state[np.abs(state) < 1e-30] = 0.0
        yield sound.astype(np.float32)


@dataclass(frozen=True)
class Fader:
    """What a part is brought into the mix with. gain, width: factors of all of it and of its side. pan: −1…1, at
    equal power. ceiling: what is over half of it bends towards it."""

    gain: float
    width: float
    pan: float
    ceiling: float

    def through(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream, of the same length."""
        angle = (self.pan + 1) * np.pi / 4
        left, right = np.float32(np.sqrt(2) * np.cos(angle)), np.float32(np.sqrt(2) * np.sin(angle))
        for block in blocks:
            mid = (block[0] + block[1]) * np.float32(self.gain / 2)
            side = (block[0] - block[1]) * np.float32(self.gain * self.width / 2)
            yield _bent(np.stack([left * (mid + side), right * (mid - side)]), self.ceiling)


def _bent(sound: Samples, ceiling: float) -> Samples:
    """As a tape does with peaks: straight up to half the ceiling, then a hyperbolic tangent of slope 1 at first."""
    size, half = np.abs(sound), ceiling / 2
    if size.max(initial=0.0) <= half:
        return sound
    bent = half + half * np.tanh((size - half) / half)
    return np.where(size > half, np.sign(sound) * bent, sound).astype(np.float32)


def bell(hz: float, gain_db: float, q: float, rate: int) -> Section:
    """A second-order section (Bristow-Johnson, "Cookbook formulae for audio EQ", peaking)."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / rate
    alpha = np.sin(w) / (2 * q)
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
