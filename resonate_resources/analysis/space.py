"""The room that a track sounds in: reverberation times per octave, blind, from how its stems' notes die away.

What dies away in a room is diffuse: it comes from everywhere, so that two channels have nothing in common (Cook et
al. 1955), where an instrument that rings by itself is the same in both, however it is panned. Decays by 10 dB and
more, straight in dB, behind the direct sound's own first fall, count by how deep and how diffuse they are. A
recording of one channel does not tell its room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import tee

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.mono import overlapping_frames
from resonate_resources.signal.shimmer import spectrum_size
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)

_HOP_S = 0.01
_SMOOTHED = 3  # frames
_RISE_DB = 3.0  # over the lowest level so far: something sounds anew
_RANGE_DB, _FLOOR_DB = 60.0, -95.0  # of a stem's decays under its loud parts; what is lower is rounding
_SHORTEST = 12  # frames
_DIRECT_DB = 6.0  # the first fall is the direct sound's own
_LEAST_DB, _MOST_DB = 10.0, 30.0  # of a decay; what is deeper counts no more
_CROOKED_DB = 1.2  # a decay is no further off its line (RMS)
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


def stereo_levels(stem: Recording) -> Floats:
    """(octaves, frames, 4): of the first and the last channel each 10 ms, power against a full-scale sine, and the
    real and the imaginary part of what they have in common."""
    from scipy.fft import rfft

    rate = stem.sample_rate
    size, hop = spectrum_size(rate), round(_HOP_S * rate)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    bands = ratio_bands(1, OCTAVES_HZ[0] / 2**0.5, min(OCTAVES_HZ[-1] * 2**0.5, rate / 2), rate, size)
    parts = []
    one, other = tee(stem.blocks())
    first = overlapping_frames((block[0] for block in one), size, hop)
    last = overlapping_frames((block[-1] for block in other), size, hop)
    for left_frames, right_frames in zip(first, last, strict=True):
        left, right = rfft(left_frames * window), rfft(right_frames * window)
        common = left * right.conj()
        both = np.stack([np.square(np.abs(left)), np.square(np.abs(right)), common.real, common.imag])
        parts.append((both @ bands / np.float32((size / 4) ** 2)).transpose(2, 1, 0))
    return np.concatenate(parts, axis=1)


def _density(levels: Floats) -> tuple[Floats, float]:
    """Of one octave's (frames, 4): how its decays lie on _LOG_S, (times,), and their weight, 1 for a diffuse one of
    10 dB."""
    from scipy.ndimage import uniform_filter1d

    power = levels[:, :2].mean(axis=1, dtype=np.float64)
    decays = find_decays(10 * np.log10(uniform_filter1d(power, _SMOOTHED) + 1e-12))
    density, weight = np.zeros(len(_LOG_S)), 0.0
    for decay in decays:
        # Each frame counts alike: the end of a decay is its room's as much as its beginning.
        left, right, real, imaginary = (
            levels[decay.start : decay.end].T / np.maximum(power[decay.start : decay.end], 1e-14)
        ).sum(axis=1, dtype=np.float64)
        coherence = np.hypot(real, imaginary) / np.sqrt(max(left * right, 1e-30))
        own = smoothly(float(coherence), _ALIKE, _DIFFUSE) * (min(decay.depth_db, _MOST_DB) / _LEAST_DB) ** 2
        weight += own
        density += own * np.exp(-np.square((_LOG_S - np.log(60 / decay.rate_db_s)) / _WIDTH) / 2)
    return density, weight


@dataclass(frozen=True)
class Decay:
    """Frames from start up to end; how fast it falls and by how much."""

    start: int
    end: int
    rate_db_s: float
    depth_db: float


def find_decays(levels: Floats) -> list[Decay]:
    """In levels in dB each 10 ms, (frames,): the longest straight end of each stretch in which nothing rises."""
    if len(levels) < _SHORTEST:
        return []
    floor = max(
        float(np.percentile(levels, 95)) - _RANGE_DB, float(np.percentile(levels, 1)) + _RISE_DB, _FLOOR_DB
    )
    found = []
    for first, last in _falls(levels, floor):
        fall = levels[first:last]
        for start in range(3, len(fall) - _SHORTEST + 1, 2):
            end = fall[start:]
            depth = float(end[0] - end[-1])
            if depth < _LEAST_DB:
                break
            if fall[0] - end[0] < _DIRECT_DB:
                continue
            seconds = (np.arange(len(end)) - (len(end) - 1) / 2) * _HOP_S
            slope = float(seconds @ end / (seconds @ seconds))
            if float(np.std(end - slope * seconds)) < _CROOKED_DB:
                found.append(Decay(first + start, last, -slope, depth))
                break
    return found


def _falls(levels: Floats, floor: float) -> list[tuple[int, int]]:
    """Stretches from a peak to the lowest level before the next rise, over the floor: start and end."""
    falls = []
    values = levels.tolist()
    start = lowest = 0
    for frame, level in enumerate([*values, np.inf]):
        if level > values[lowest] + _RISE_DB or level < floor:
            if lowest - start + 1 >= _SHORTEST:
                falls.append((start, lowest + 1))
            start = lowest = frame
            if frame == len(values):
                break
        elif level > values[start]:
            start = lowest = frame
        elif level < values[lowest]:
            lowest = frame
    return falls
