"""The room that a track sounds in: reverberation times per octave, blind, from how its stems' notes die away.

No sound dies away faster than its room lets it, but instruments take their time too. A room is what stems have in
common: the rates at which drums, chords and voices fall by 10 dB and more, straight in dB, behind the direct
sound's own first fall, agree in several octaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import band_levels, ratio_bands
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)

_RATE, _FRAME, _HOP = 44_100, 2048, 441
_HOP_S = _HOP / _RATE
_SMOOTHED = 3  # frames
_RISE_DB = 3.0  # over the lowest level so far: something sounds anew
_RANGE_DB, _FLOOR_DB = 60.0, -95.0  # of a stem's decays under its loud parts; what is lower is rounding
_SHORTEST = 12  # frames
_DIRECT_DB = 6.0  # the first fall is the direct sound's own
_LEAST_DB, _MOST_DB = 10.0, 30.0  # of a decay; what is deeper counts no more
_CROOKED_DB = 1.2  # a decay is no further off its line (RMS)
_FEWEST = 4  # decays of a stem in an octave
_DOUBT = 6.0  # decays of 10 dB that a stem needs for half its weight

_LOG_S = np.linspace(np.log(0.12), np.log(4.5), 150)
_WIDTH = 0.09  # of one decay, in the logarithm of its time: its own scatter
_TILTS = np.arange(0.0, 0.31, 0.05)  # rooms are as long in the highs as in the lows, or shorter
_OWN = 0.15  # by how much an octave may differ from its room's law
_OTHER = 0.25  # rooms further apart are others
# Of composed songs: the best of dry ones agree by under 0.2 (one of 23 by 0.33, at 0.23 s).
_UNLIKE, _LIKE = 0.18, 0.38
_INSTRUMENTS_S, _ROOM_S = 0.22, 0.34  # shorter ones may be the instruments' own
_CLEAR, _AMBIGUOUS = 0.75, 1.0  # of the best, how well another room does


@dataclass(frozen=True)
class Space:
    """rt60_s: seconds in which the room's sound falls by 60 dB, by octave; None where there are not enough decays.
    confidence: 0 to 1, that it is within a fifth."""

    rt60_s: dict[int, float | None]
    confidence: float


NOT_ENOUGH = Space(dict.fromkeys(OCTAVES_HZ), 0.0)
"""Decays: nothing is known."""


def hear_space(stems: Mapping[str, Recording]) -> Space:
    """Of two and more stems; NOT_ENOUGH decays of fewer. Memory: 28 bytes a 10 ms of one stem."""
    densities = [_densities(stem) for stem in stems.values()]
    return room_of(densities)


def room_of(densities: list[Floats]) -> Space:
    """densities: of each stem, (octaves, times), how its decays lie on _LOG_S."""
    agreed = np.zeros((len(OCTAVES_HZ), len(_LOG_S)))
    for number, one in enumerate(densities):
        for other in densities[:number]:
            agreed += np.sqrt(one * other)
    octaves = np.log(np.array(OCTAVES_HZ) / 1000.0)
    laws = np.array([[np.interp(_LOG_S - tilt * octaves[band], _LOG_S, agreed[band], left=0, right=0)
                      for band in range(len(octaves))] for tilt in _TILTS])  # fmt: skip
    scores = laws.mean(axis=1)
    tilt, at = np.unravel_index(int(scores.argmax()), scores.shape)
    best = float(scores[tilt, at])
    if best <= 0:
        return NOT_ENOUGH
    others = scores[:, np.abs(_LOG_S - _LOG_S[at]) > _OTHER].max()
    confidence = smoothly(best, _UNLIKE, _LIKE) * smoothly(float(others) / best, _AMBIGUOUS, _CLEAR)
    confidence *= smoothly(float(np.exp(_LOG_S[at])), _INSTRUMENTS_S, _ROOM_S)
    if confidence == 0:
        return NOT_ENOUGH
    told = {
        hertz: _own(agreed[band], float(_LOG_S[at] - _TILTS[tilt] * octaves[band]))
        for band, hertz in enumerate(OCTAVES_HZ)
    }
    return Space(told, confidence)


def _own(agreed: Floats, expected: float) -> float | None:
    """The octave's own time near to what its room's law expects; None where no stems agree there."""
    near = np.abs(_LOG_S - expected) <= _OWN
    if not near.any() or agreed[near].max() < _UNLIKE:
        return None
    return float(np.exp(_LOG_S[near][agreed[near].argmax()]))


def _densities(stem: Recording) -> Floats:
    """(octaves, times): of a stem's decays on _LOG_S, each weighted by its depth; under 1, smaller where they are
    few."""
    bands = ratio_bands(1, OCTAVES_HZ[0] / 2**0.5, OCTAVES_HZ[-1] * 2**0.5, _RATE, _FRAME)
    levels = band_levels(stem, bands, _RATE, _HOP)
    found = np.zeros((len(OCTAVES_HZ), len(_LOG_S)))
    for band in range(levels.shape[1]):
        decays = find_decays(levels[:, band].astype(np.float64))
        if len(decays) < _FEWEST:
            continue
        rate, depth = decays.T
        weight = np.minimum(depth, _MOST_DB) / _LEAST_DB
        for start in range(0, len(rate), 1024):
            part = slice(start, start + 1024)
            off = (_LOG_S[:, None] - np.log(60 / rate[part])) / _WIDTH
            found[band] += np.exp(-np.square(off) / 2) @ weight[part]
        found[band] /= weight.sum() + _DOUBT
    return found


def find_decays(levels: Floats) -> Floats:
    """Levels in dB each 10 ms, (frames,) → (decays, 2): how fast each falls, in dB/s, and by how many dB.

    A decay is the longest straight end of a stretch in which nothing rises.
    """
    from scipy.ndimage import uniform_filter1d

    if len(levels) < _SHORTEST:
        return np.zeros((0, 2))
    smooth = 10 * np.log10(uniform_filter1d(10 ** (levels / 10), _SMOOTHED) + 1e-12)
    floor = max(
        float(np.percentile(smooth, 95)) - _RANGE_DB, float(np.percentile(smooth, 1)) + _RISE_DB, _FLOOR_DB
    )
    found = []
    for fall in _falls(smooth, floor):
        deepest = len(fall) - _SHORTEST + 1
        for start in range(3, deepest, 2):
            end = fall[start:]
            depth = float(end[0] - end[-1])
            if depth < _LEAST_DB:
                break
            if fall[0] - end[0] < _DIRECT_DB:
                continue
            seconds = (np.arange(len(end)) - (len(end) - 1) / 2) * _HOP_S
            slope = float(seconds @ end / (seconds @ seconds))
            if float(np.std(end - slope * seconds)) < _CROOKED_DB:
                found.append((-slope, depth))
                break
    return np.array(found).reshape(-1, 2)


def _falls(levels: Floats, floor: float) -> list[Floats]:
    """Stretches from a peak to the lowest level before the next rise, over the floor."""
    falls = []
    values = levels.tolist()
    start = lowest = 0
    for frame, level in enumerate([*values, np.inf]):
        if level > values[lowest] + _RISE_DB or level < floor:
            if lowest - start + 1 >= _SHORTEST:
                falls.append(levels[start : lowest + 1])
            start = lowest = frame
            if frame == len(values):
                break
        elif level > values[start]:
            start = lowest = frame
        elif level < values[lowest]:
            lowest = frame
    return falls
