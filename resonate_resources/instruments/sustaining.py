"""A recorded note held longer than it was played goes on by a loop of its last steady part, dying away as it did.

Loops that are crossfaded and faded by an envelope are what samplers hold short recordings by; the loop's length is
the one at which the note is most like itself, so that both sides of the seam are in phase.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

FASTEST_DB_S: Final = 12.0
"""As a held string dies away. What falls faster was damped, or is of a note that was let go of."""
_DAMPED_DB: Final = 9.0  # under such a fall from the loudest moment: from there on it is its end, and not it
_ENDING_STEPS: Final = 2  # that damping takes to be heard, and samples to be faded out
_STEP_S: Final = 0.025  # of levels: a period and a half of what a bass plays lowest
_SHORTEST_S: Final = 0.1  # of what can be looped
_CROSS: Final = 0.25  # of the loop
_SILENT_DB: Final = -120.0


def sustained(sound: Samples, rate: int, frames: int) -> Samples:
    """(channels, frames) of a sound that was shorter; as it was where nothing in it can be looped.

    Its level falls by 0 to 12 dB a second where it is made, by how it fell before.
    """
    step = max(1, round(_STEP_S * rate))
    levels = _levels_db(sound, step)
    if sound.shape[1] >= frames or not levels.size:
        return sound[:, :frames]
    loudest = int(np.argmax(levels))
    since = np.arange(levels.size) - loudest
    line = levels[loudest] - FASTEST_DB_S * _STEP_S * since - _DAMPED_DB
    under = np.flatnonzero((levels < line) & (since > 0))
    end = int(under[0]) if under.size else levels.size
    body = levels[loudest : max(loudest, end - _ENDING_STEPS)]
    first, behind = loudest * step, (loudest + body.size) * step
    if behind - first < _SHORTEST_S * rate or levels[loudest] <= _SILENT_DB:
        return sound
    half = body.size // 2
    falls = -np.polyfit(np.arange(body.size - half) * _STEP_S, body[half:], 1)[0]
    falling = float(np.clip(falls, 0.0, FASTEST_DB_S))
    # The loop is of one level, whatever it was; what it is when it is heard is the fall's alone.
    measured = 10 ** (falls * np.arange(behind - first) / rate / 20)
    flat = sound[:, first:behind] * measured.astype(np.float32)
    length = _period(flat.mean(axis=0), (behind - first) // 2)
    cross = max(1, min(round(_CROSS * length), flat.shape[1] - length))
    ramp = np.linspace(0, 1, cross, dtype=np.float32)
    loop = flat[:, -length:].copy()
    loop[:, -cross:] = loop[:, -cross:] * (1 - ramp) + flat[:, -length - cross : -length] * ramp
    whole = np.empty((sound.shape[0], frames), np.float32)
    whole[:, :behind] = sound[:, :behind]
    whole[:, behind - cross : behind] = loop[:, -cross:] / measured[-cross:].astype(np.float32)
    more = np.arange(frames - behind)
    ended = measured[-1] * 10 ** (falling * (more + 1) / rate / 20)
    whole[:, behind:] = loop[:, more % length] / ended.astype(np.float32)
    return whole


def _levels_db(sound: Samples, step: int) -> npt.NDArray[np.float64]:
    """Of each whole step."""
    powers = np.square(sound[:, : sound.shape[1] // step * step], dtype=np.float64).mean(axis=0)
    return np.asarray(10 * np.log10(powers.reshape(-1, step).mean(axis=1) + 1e-15), np.float64)


def _period(wave: npt.NDArray[np.float32], most: int) -> int:
    """The distance, from half of `most` to it, at which its end is most like what lies before."""
    least = most // 2
    end = wave[-least:]
    before = wave[-least - most : -least]
    spectrum = 1 << (before.size + end.size).bit_length()
    like = np.fft.irfft(np.fft.rfft(before, spectrum) * np.conj(np.fft.rfft(end, spectrum)), spectrum)
    places = before.size - least + 1
    energies = np.cumsum(np.concatenate([[0.0], np.square(before, dtype=np.float64)]))
    norms = np.sqrt(energies[least : least + places] - energies[:places]) + 1e-12
    best = int(np.argmax(like[:places] / norms))
    return most - best
