"""A part's channel strip: freed of lows, gently equalised, placed, as wide as its role is, its lows mono."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.sound.mixing_table import Tone
from resonate_resources.recordings.recording import Samples

_MONO_UNDER_HZ: Final = 120.0  # records are cut so, and clubs play so
_MUD_HZ, _PRESENCE_HZ, _SHELF_HZ = 300.0, 3000.0, 6000.0
_BELL_Q: Final = 0.8

Section = npt.NDArray[np.float64]


def stripped(blocks: Iterator[Samples], tone: Tone, pan: float, rate: int) -> Iterator[Samples]:
    """The stream through the strip, of the same length. pan −1…1: as far as one channel silent."""
    from scipy.signal import butter, sosfilt

    shaping = np.concatenate(
        [
            butter(2, tone.low_hz, "highpass", fs=rate, output="sos"),
            [
                bell(_MUD_HZ, tone.mud_db, rate),
                bell(_PRESENCE_HZ, tone.presence_db, rate),
                high_shelf(_SHELF_HZ, tone.shelf_db, rate),
            ],
        ]
    )
    narrowing = butter(2, _MONO_UNDER_HZ, "highpass", fs=rate, output="sos")
    shaped, side_state = np.zeros((len(shaping), 2, 2)), np.zeros((len(narrowing), 2))
    left, right = np.sqrt(2) * np.cos((pan + 1) * np.pi / 4), np.sqrt(2) * np.sin((pan + 1) * np.pi / 4)
    for block in blocks:
        sound, shaped = sosfilt(shaping, block.astype(np.float64), zi=shaped)
        sound[0] *= left
        sound[1] *= right
        mid, side = (sound[0] + sound[1]) / 2, tone.width * (sound[0] - sound[1]) / 2
        side, side_state = sosfilt(narrowing, side, zi=side_state)
        for state in (shaped, side_state):
            state[np.abs(state) < 1e-30] = 0.0  # denormals are slow
        yield np.stack([mid + side, mid - side]).astype(np.float32)


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
