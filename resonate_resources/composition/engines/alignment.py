"""A stem that a model made, brought onto its plan's grid, or refused.

Models are told a tempo, and keep to it as well as they were trained to; where the first beat is they are not told.
Onsets are taken as weights at moments. How far they are periodic at a tempo is the length of their mean phasor, 0…1
(circular statistics; Mardia & Jupp, "Directional Statistics", 2000, §2.3): of evenly spaced ones 1, of n at random
about 1/√n. Which eighth of a bar is the first one it can't tell: nearer ones are preferred.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.plan import Plan, Stem
from resonate_resources.recordings.recording import AudioError, Recording, Samples
from resonate_resources.signal.band_levels import band_levels, mel_bands
from resonate_resources.signal.mono import moved
from resonate_resources.signal.onsets import find_onsets, onset_strength
from resonate_resources.signal.stretching import stretch
from resonate_resources.signal.time_map import TimeMap

Floats = npt.NDArray[np.float64]

MOST_TEMPO: Final = 0.06
"""By which part of the planned tempo a stem's may differ."""
LEAST_CLARITY: Final = 0.3
"""A beat is clear from there on, and where onsets at random would hardly ever be as periodic."""
_RATE, _HOP, _SIZE = 24_000, 120, 1024  # 5 ms, 43 ms
_BANDS: Final = (16, 40.0, 11_000.0)
_GAP: Final = 4
_FLOOR_DB: Final = -50.0  # under the loudest frame
_LEAST_RISE_DB: Final = 2.0
_APART: Final = 10  # frames: 50 ms
_EARLY_S: Final = 0.008  # by which drums of composed plans would be found early, clicks by 12 ms
_FINEST: Final = 4  # a quarter's division into 1, 2, 3 and so on is tried: what rhythms are made of
_FINER: Final = 8  # steps of tempo for each that the length can tell apart
_BINS: Final = 192  # of a quarter
_WIDTH: Final = 4.0  # of them: a 48th, as uneven as players are
_OFF_BEAT: Final = 0.6  # eighths between quarters, of drums
_SIXTEENTH: Final = 0.9
_SWUNG: Final = 0.55
_NEARER, _NEARER_DRUMS = 0.15, 0.05  # what half a quarter's move costs
_UNHEARD_S: Final = 0.002
_CHANCE: Final = 1e-3
_AT_ONCE: Final = 1e6


class OffGridError(AudioError):
    """A stem that can't be brought onto the grid. Another seed may make one that can."""


@dataclass(frozen=True)
class Beat:
    """onsets: how many were found. clarity: 0…1. needed: clarity from which a beat is one; over 1 where there are
    too few onsets to tell. ratio: how many times as long the stem has to be. late_s: by how much it is then behind
    the grid."""

    onsets: int
    clarity: float
    needed: float
    ratio: float
    late_s: float


def find_beat(recording: Recording, plan: Plan, stem: Stem) -> Beat:
    """The tempo within ±6 % of the plan's at which it is most periodic, and its place within half a quarter."""
    seconds, weights = _onsets(recording)
    needed = max(LEAST_CLARITY, _by_chance(seconds, weights, plan.bpm / 60))
    if needed > 1:
        return Beat(len(seconds), 0.0, needed, 1.0, 0.0)
    hertz, clarity = _quarters(seconds, weights, plan.bpm / 60)
    ratio = hertz * 60 / plan.bpm
    late_s = _late(seconds * hertz, weights, plan, stem) * 60 / plan.bpm
    return Beat(len(seconds), clarity, needed, ratio, late_s)


def aligned(recording: Recording, plan: Plan, stem: Stem, path: Path) -> tuple[Recording, float]:
    """The stem on the grid's tempo, and how many seconds it still lies behind it: see `in_place`. path: for what is
    written where it has to be stretched.

    Drums without a clear beat, and basses with onsets enough for one, are refused; other stems stay as they are.
    Raises OffGridError.
    """
    beat = find_beat(recording, plan, stem)
    if beat.clarity < beat.needed:
        if stem == "drums" or (stem == "bass" and beat.needed <= 1):
            raise OffGridError(
                f"{stem}: no beat within {MOST_TEMPO:.0%} of {plan.bpm:g} BPM was heard ({beat.onsets} onsets, "
                f"clarity {beat.clarity:.2f} of {min(beat.needed, 1):.2f}): it can't be aligned; try another seed"
            )
        return recording, 0.0
    if abs(beat.ratio - 1) * recording.duration > _UNHEARD_S:
        recording = stretch(recording, TimeMap.steady(beat.ratio), 0.0, path)
    return recording, beat.late_s


def in_place(recording: Recording, late_s: float) -> Iterator[Samples]:
    """Its blocks, so much earlier; silence stands before one that begins later."""
    return moved(recording.blocks(), round(late_s * recording.sample_rate))


def _onsets(recording: Recording) -> tuple[Floats, Floats]:
    """Seconds and strengths."""
    bands = mel_bands(*_BANDS, _RATE, _SIZE)
    levels = band_levels(recording, bands, _RATE, _HOP)
    loudest = float(levels.max())
    strength = onset_strength(levels, loudest + _FLOOR_DB, gap=_GAP)
    frames = find_onsets(strength, _LEAST_RISE_DB, _APART)
    seconds = (frames.astype(np.float64) - _GAP / 2) * (_HOP / _RATE) + _EARLY_S
    return seconds, strength[frames].astype(np.float64)


def _by_chance(seconds: Floats, weights: Floats, planned_hz: float) -> float:
    """The clarity that onsets at random have once in a thousand times: Rayleigh's test (Mardia & Jupp, §6.3.1),
    over as many tempi as their span can tell apart."""
    if not len(seconds):
        return math.inf
    tempi = 2 * MOST_TEMPO * planned_hz * _span(seconds) * sum(range(1, _FINEST + 1))
    as_many = weights.sum() ** 2 / (weights**2).sum()
    return math.sqrt(math.log(max(1.0, tempi) / _CHANCE) / as_many)


def _quarters(seconds: Floats, weights: Floats, planned_hz: float) -> tuple[float, float]:
    """The frequency of quarters, in Hz, at which most onsets fall on what divides them, and the clarity of that
    division on which most do."""
    step = 1 / (_span(seconds) * _FINEST * _FINER)
    most = planned_hz * MOST_TEMPO
    coarse = _best(seconds, weights, planned_hz + np.linspace(-most, most, 1 + 2 * math.ceil(most / step)))[0]
    return _best(seconds, weights, coarse + np.linspace(-step, step, 65))


def _best(seconds: Floats, weights: Floats, tried_hz: Floats) -> tuple[float, float]:
    best_hz, best, clarity = 0.0, -1.0, 0.0
    for some in np.array_split(tried_hz, math.ceil(tried_hz.size * len(seconds) / _AT_ONCE)):
        turn = np.exp(-2j * np.pi * some[:, np.newaxis] * seconds)
        turned = accumulate(repeat(turn, _FINEST), np.multiply)
        lengths = np.stack([np.abs(each @ weights) for each in turned]) / weights.sum()
        total = (lengths**2).sum(axis=0)
        top = int(total.argmax())
        if total[top] > best:
            best_hz, best, clarity = float(some[top]), float(total[top]), float(lengths[:, top].max())
    return best_hz, clarity


def _span(seconds: Floats) -> float:
    return float(np.ptp(seconds)) + 1.0


def _late(quarters: Floats, weights: Floats, plan: Plan, stem: Stem) -> float:
    """By which part of a quarter, −0.5…0.5, onsets lie behind the grid. quarters: where they are."""
    places = np.bincount((quarters * _BINS).round().astype(int) % _BINS, weights, _BINS)
    grid = np.zeros(_BINS)
    for part, weight in _accents(plan, stem).items():
        grid[round(part * _BINS)] = weight
    distance = np.minimum(np.arange(_BINS), _BINS - np.arange(_BINS))
    bell = np.exp(-0.5 * (distance / _WIDTH) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(grid) * np.fft.rfft(bell), _BINS)
    found = np.fft.irfft(np.fft.rfft(places) * np.conj(np.fft.rfft(smooth)), _BINS)
    parts = (np.arange(_BINS) + _BINS // 2) % _BINS - _BINS // 2
    cost = _NEARER_DRUMS if stem == "drums" else _NEARER
    top = int((found * (1 - cost * np.abs(parts) / (_BINS / 2))).argmax())
    return float(parts[top]) / _BINS


def _accents(plan: Plan, stem: Stem) -> dict[float, float]:
    """Part of a quarter → how much speaks for an onset there. Drums accent quarters; what others play may well lie
    between them, on sixteenths, too, and is moved to the next."""
    if stem == "drums" and plan.metre.endswith("/4"):
        return {0.0: 1.0, plan.swing: _OFF_BEAT}
    if plan.swing > _SWUNG:
        return {0.0: 1.0, plan.swing: 1.0}
    return {0.0: 1.0, 0.25: _SIXTEENTH, 0.5: 1.0, 0.75: _SIXTEENTH}
