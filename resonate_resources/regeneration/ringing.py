"""How a recording that was cut would have rung on: noise of its last spectrum, each octave falling as it fell.

An octave falls exponentially, as in a room (Polack, 1988; `room_tail`); so do cymbals and drums. Recordings that
are cut are short and tell little of how fast: what is measured counts beside what is usual.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.decays import in_octaves

Floats = npt.NDArray[np.float64]

_SHORTEST_S: Final = 0.05  # of shorter recordings nothing is known but the attack
_ATTACK: Final = 0.4  # of a recording: it falls faster, and tells nothing of the end
_HEARD_S, _HOP_S = 0.6, 0.01  # of the end, by which it is told how fast it falls
_LAST_S: Final = 0.06  # of which the spectrum and the level go on
_CROSS_S: Final = 0.03
_USUAL_DB_S: Final = 100.0
_COUNTS_S: Final = 0.15  # what is usual counts as much as a fall that is heard for so long
_SLOWEST_DB_S, _FASTEST_DB_S = 60.0, 300.0
_SILENT: Final = 1e-10  # mean power


def rung_on(sound: Samples, frames: int, sample_rate: int) -> Samples:
    """(2, frames): a sound of two channels and how it rings on; as it is where it is longer, or under 50 ms."""
    heard = sound.shape[1]
    if frames <= heard or heard < _SHORTEST_S * sample_rate:
        return sound
    cross, last = round(_CROSS_S * sample_rate), min(round(_LAST_S * sample_rate), heard // 2)
    hop = round(_HOP_S * sample_rate)
    count = max(2, min(round((1 - _ATTACK) * heard), round(_HEARD_S * sample_rate)) // hop)
    end = sound[:, heard - count * hop :]
    further = frames - heard + cross
    seconds = np.arange(further) / sample_rate - _CROSS_S
    # One noise for both channels: what the end has in common stays so.
    size = 1 << (further + last).bit_length()
    noise = np.random.default_rng(0).standard_normal(further + last)
    spectrum = np.fft.rfft(sound[:, heard - last :] * np.hanning(last), size) * np.fft.rfft(noise, size)
    ringing = np.zeros((2, further))
    bands = zip(
        in_octaves(np.fft.rfft(end), count * hop, sample_rate),
        in_octaves(spectrum, size, sample_rate),
        strict=True,
    )
    for known, made in bands:
        power = np.square(known).reshape(2, count, hop).mean(axis=(0, 2))
        if power.max() > _SILENT:
            level_db, db_s = _end_of(10 * np.log10(power + 1e-12))
            steady = made[:, last : last + further]
            steady = steady / np.sqrt(np.square(steady).mean() + 1e-20)
            ringing += steady * 10 ** ((level_db - db_s * seconds) / 20)
    turn = np.linspace(0, np.pi / 2, cross)
    ringing[:, :cross] *= np.sin(turn)
    ringing[:, :cross] += sound[:, heard - cross :] * np.cos(turn)
    return np.concatenate([sound[:, : heard - cross], ringing.astype(np.float32)], axis=1)


def _end_of(levels: Floats) -> tuple[float, float]:
    """Level in dB at the end of an octave's levels each 10 ms, and the dB a second by which it falls there."""
    seconds = (np.arange(len(levels)) - len(levels) + 0.5) * _HOP_S
    centred = seconds - seconds.mean()
    counts = (_COUNTS_S / _HOP_S) * _COUNTS_S**2 / 12
    fall = (counts * _USUAL_DB_S - centred @ levels) / (counts + centred @ centred)
    fall = float(np.clip(fall, _SLOWEST_DB_S, _FASTEST_DB_S))
    late = slice(-round(_LAST_S / _HOP_S), None)
    return float((levels[late] + fall * seconds[late]).mean()), fall
