"""Speed that wavers, of a known depth: an eccentric record's wow, a tape's flutter, a walkman's drift.

Deviations are parts of the nominal speed, by frame of what is heard (0.003: 0.3 % fast, 5 cents high)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Floats = npt.NDArray[np.float64]
Speed = Callable[[int, int, np.random.Generator, float], Floats]
"""Of frames, sample rate in Hz, chance and size → deviation by frame."""

_HALF = 32  # taps of the interpolating filter a side
_DRIFTS_HZ = (0.15, 1.0)  # of a walkman that is carried; faster and slower it moves ever less


def lp(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """33⅓ turns a minute round a hole off the middle: ±size, and a fifth of that at twice the rate (a warp)."""
    return _turning(100 / 3, frames, sample_rate, chance, size)


def single(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """The same of 45 turns."""
    return _turning(45, frames, sample_rate, chance, size)


def shellac(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """The same of 78.26 turns, of a stroboscope at 60 Hz."""
    return _turning(78.26, frames, sample_rate, chance, size)


def capstan(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """A capstan out of round: ±size at 6 Hz, and half of it at 9.4, of a pulley or the motor."""
    time = np.arange(frames) / sample_rate
    return _sine(time, 6.0, size, chance) + _sine(time, 9.4, size / 2, chance)


def walkman(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """Drift without a period, by 0.15 to 1 Hz; size: root mean square."""
    from scipy.signal import butter, sosfiltfilt

    step = sample_rate // 20
    noise = chance.standard_normal(frames // step + 3)
    slow = sosfiltfilt(butter(1, _DRIFTS_HZ, "bandpass", fs=sample_rate / step, output="sos"), noise)
    slow = np.interp(np.arange(frames), np.arange(len(slow)) * step, slow)
    return np.asarray(size * (slow - slow.mean()) / slow.std())


def taped_record(frames: int, sample_rate: int, chance: np.random.Generator, size: float) -> Floats:
    """A record on a worn tape: the wow of the one, drift and flutter, of half the size each, of the other."""
    on_tape = (each(frames, sample_rate, chance, size / 2) for each in (walkman, capstan))
    return lp(frames, sample_rate, chance, size) + sum(on_tape)


def wowing(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    return played(clean, lp(clean.shape[1], sample_rate, chance, size))


def fluttering(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    return played(clean, capstan(clean.shape[1], sample_rate, chance, size))


def drifting(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    return played(clean, walkman(clean.shape[1], sample_rate, chance, size))


def _turning(
    per_minute: float, frames: int, sample_rate: int, chance: np.random.Generator, size: float
) -> Floats:
    time = np.arange(frames) / sample_rate
    return _sine(time, per_minute / 60, size, chance) + _sine(time, per_minute / 30, size / 5, chance)


def _sine(time: Floats, hertz: float, size: float, chance: np.random.Generator) -> Floats:
    return np.asarray(size * np.cos(2 * np.pi * hertz * time + chance.uniform(0, 2 * np.pi)))


def played(clean: Samples, deviation: Floats) -> Samples:
    """At a speed that deviates so, (channels, frames); silence beyond the ends."""
    at = np.arange(clean.shape[1]) + np.cumsum(deviation) - deviation[0]
    whole = np.floor(at).astype(int)
    taps = np.arange(1 - _HALF, _HALF + 1)
    padded = np.pad(clean, ((0, 0), (_HALF, _HALF + 1)))
    damaged = np.empty_like(clean)
    for start in range(0, len(at), 1 << 14):
        here = slice(start, start + (1 << 14))
        off = taps[None] - (at[here] - whole[here])[:, None]
        sinc = (
            np.sinc(off) * np.kaiser(1001, 10.0)[np.round((off / _HALF + 1) * 500).astype(int).clip(0, 1000)]
        )
        index = (whole[here][:, None] + taps[None] + _HALF).clip(0, padded.shape[1] - 1)
        damaged[:, here] = np.einsum("ft,cft->cf", sinc, padded[:, index])
    return damaged
