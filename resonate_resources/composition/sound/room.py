"""The room that all parts of a mix share: a dense plate, its response made of noise that dies away.

Polack's model (La transmission de l'énergie sonore dans les salles, 1988): Gaussian noise under an exponential, the
sooner over the higher it is; left and right are drawn apart, so that it is wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from resonate_resources.composition.sound.mixing_table import RoomSound
from resonate_resources.instruments.circuits import band
from resonate_resources.recordings.recording import Samples

_SEED: Final = 1955
_E_FOLDS: Final = 3 * np.log(10)  # of amplitude in 60 dB
_SPLIT_HZ: Final = 2500.0
_SHORTER: Final = 0.55  # of what lies over that: air and plates take highs first
_LATE_S: Final = 0.02  # in which it becomes dense


def response(room: RoomSound, rate: int) -> Samples:
    """(2, frames) without the direct sound, of energy 1 in each channel."""
    frames = round(room.rt60_s * rate)
    t = np.arange(frames) / rate
    rng = np.random.default_rng(_SEED)
    channels = []
    for _ in range(2):
        drawn = rng.standard_normal(frames)
        low = band(drawn, rate, None, _SPLIT_HZ, 1) * np.exp(-_E_FOLDS * t / room.rt60_s)
        high = band(drawn, rate, _SPLIT_HZ, None, 1) * np.exp(-_E_FOLDS * t / (_SHORTER * room.rt60_s))
        tail = band(low + high, rate, room.low_hz, room.high_hz, 1) * np.minimum(1, t / _LATE_S)
        channels.append(tail / np.sqrt(np.sum(tail**2)))
    predelay = np.zeros((2, round(room.predelay_ms / 1000 * rate)))
    return np.concatenate([predelay, np.array(channels)], axis=1).astype(np.float32)


def with_room(blocks: Iterator[Samples], room: Samples, level_db: float) -> Iterator[Samples]:
    """The stream and its room, that much louder or softer than the stream; of the same length: what rings on past
    its end is cut off."""
    from scipy.signal import fftconvolve

    gained = room * np.float32(10 ** (level_db / 20))
    ringing = np.zeros((2, room.shape[1] - 1), np.float32)
    for block in blocks:
        frames = block.shape[1]
        if not block.any() and not ringing.any():
            yield block
            continue
        wet = np.asarray(fftconvolve(block, gained, axes=1), np.float32)
        wet[:, : ringing.shape[1]] += ringing
        ringing = wet[:, frames:]
        yield block + wet[:, :frames]
