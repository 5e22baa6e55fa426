"""The room that a track sounds in: reverberation times per octave, blind, from how its stems' notes die away.

What dies away in a room is diffuse: it comes from everywhere, so that two channels have nothing in common (Cook et
al. 1955), where an instrument that rings by itself is the same in both, however it is panned. Decays by 10 dB and
more, straight in dB, behind the direct sound's own first fall, count by how deep and how diffuse they are. A
recording of one channel does not tell its room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.decays import LEAST_DB, OCTAVES_HZ, decays_of, stereo_levels
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

_MOST_DB = 30.0  # of a decay; what is deeper counts no more
# Coherence of the channels. Of composed songs' dry drums nine decays of ten have over 0.6, in rooms half under 0.2.
_ALIKE, _DIFFUSE = 0.45, 0.15
_STEM = 20.0  # weight of one stem's decays, of 10 dB, that gives it half of its say
_DOUBT = 0.3  # of a stem with its whole say: what an octave needs for three quarters of its confidence

_LOG_S = np.linspace(np.log(0.12), np.log(4.5), 150)
_WIDTH = 0.1  # of one decay, in the logarithm of its time: its own scatter
_TILTS = np.arange(-0.05, 0.41, 0.05)  # rooms are as long in the highs as in the lows, or shorter
_OWN = 0.1  # by how much an octave may differ from its room's law
# That an octave is within a fifth: logistic, of how well its room's law fits all octaves and of the logarithm of
# the say that its stems have. Fitted on composed songs 0 to 59, as they are and 36 dry ones in other rooms.
_BIAS, _LAW, _SAY, _NO_SAY = -1.96, 7.98, 1.26, 0.05
_SURE, _FEWEST = 0.75, 2  # octaves that are so sure: one alone is an instrument


@dataclass(frozen=True)
class Space:
    """rt60_s: seconds in which the room's sound falls by 60 dB, by octave; None where there are not enough decays.
    confidence: 0 to 1, that an octave that is told is within a fifth."""

    rt60_s: dict[int, float | None]
    confidence: float


NOT_ENOUGH = Space(dict.fromkeys(OCTAVES_HZ), 0.0)
"""Decays: nothing is known."""


def hear_space(stems: Mapping[str, Recording]) -> Space:
    """NOT_ENOUGH decays where no octave is sure. Memory: 120 bytes a 10 ms of one stem."""
    found = np.zeros((len(OCTAVES_HZ), len(_LOG_S)))
    say = np.zeros(len(OCTAVES_HZ))
    for stem in stems.values():
        for band, (density, weight) in enumerate(map(_density, stereo_levels(stem))):
            found[band] += density / (weight + _STEM)
            say[band] += weight / (weight + _STEM)
    return room_of(found / (say + _DOUBT)[:, None], say)


def room_of(found: Floats, say: Floats) -> Space:
    """found: how the decays lie on _LOG_S, (octaves, times), 0 to 1; say: how many they are, (octaves,)."""
    octaves = np.log(np.array(OCTAVES_HZ) / 1000.0)
    laws = np.array([[np.interp(_LOG_S - tilt * octaves[band], _LOG_S, found[band], left=0, right=0)
                      for band in range(len(octaves))] for tilt in _TILTS])  # fmt: skip
    scores = laws.mean(axis=1)
    tilt, at = np.unravel_index(int(scores.argmax()), scores.shape)
    sure = 1 / (1 + np.exp(-(_BIAS + _LAW * scores[tilt, at] + _SAY * np.log(say + _NO_SAY))))
    if (sure >= _SURE).sum() < _FEWEST:
        return NOT_ENOUGH
    told = {
        hertz: _own(found[band], float(_LOG_S[at] - _TILTS[tilt] * octaves[band]))
        if sure[band] >= _SURE
        else None
        for band, hertz in enumerate(OCTAVES_HZ)
    }
    return Space(told, float(sure[sure >= _SURE].mean()))


def _own(found: Floats, expected: float) -> float:
    """The octave's own time near to what its room's law expects."""
    near = np.abs(_LOG_S - expected) <= _OWN
    return float(np.exp(_LOG_S[near][found[near].argmax()]))


def _density(levels: Floats) -> tuple[Floats, float]:
    """Of one octave's (frames, 4): how its decays lie on _LOG_S, (times,), and their weight, 1 for a diffuse one of
    10 dB."""
    density, weight = np.zeros(len(_LOG_S)), 0.0
    for decay in decays_of(levels):
        own = smoothly(decay.coherence, _ALIKE, _DIFFUSE) * (min(decay.depth_db, _MOST_DB) / LEAST_DB) ** 2
        weight += own
        density += own * np.exp(-np.square((_LOG_S - np.log(decay.rt60_s)) / _WIDTH) / 2)
    return density, weight
