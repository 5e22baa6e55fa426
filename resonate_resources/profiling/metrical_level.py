"""Which pulse is the beat: the one found first, its half, its double, a triplet's, or what lies between its beats.

A conditional logit (McFadden 1974), fitted to songs whose beats are known
(`resonate_tests/benchmarks/fit_beats.py`), decides by what is heard at the beats of each and between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.bars import find_bars, weights
from resonate_resources.profiling.beat_features import Seconds, at_beats
from resonate_resources.profiling.beat_network import Heard
from resonate_resources.profiling.beat_path import FASTEST_BPM, RATE, SLOWEST_BPM, beat_path

FEWEST = 6
"""Beats, of which one can say more than that they are there."""
_RATIOS = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3)
_SLOWER, _FASTER = 0.81, 1.23
"""How far a pulse may move from its median, a third of an octave to either side, or a little beyond where it
goes."""
_BEYOND = 1.1
_WIDEST = 2.0
"""From slowest to fastest, of one pulse: what goes further has changed its level."""
_TAKEN = 0.2
"""Of a beat to either side of it, where a pulse between beats has none of its own."""
_NONE = -3.0
_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """beats in seconds; nats: of the path; first: it is at the tempo found where all were allowed, on the beats
    found there; likely: 0…1, against the others."""

    beats: Seconds
    nats: float
    first: bool
    likely: float = 1.0

    @property
    def tempo_bpm(self) -> float:
        return float(60 / np.median(np.diff(self.beats)))


def tempi_of(beats: Seconds) -> tuple[float, float]:
    """The slowest and the fastest that a pulse may become, in beats a minute, seen from the beats found first."""
    slowest, median, fastest = np.quantile(60 / np.diff(beats), (0.05, 0.5, 0.95))
    bounds = min(slowest / _BEYOND, median * _SLOWER), max(fastest * _BEYOND, median * _FASTER)
    return bounds if bounds[1] < _WIDEST * bounds[0] else (median * _SLOWER, median * _FASTER)


def candidates(nats: Seconds, tempi_bpm: tuple[float, float]) -> list[Pulse]:
    """Pulses between these tempi and at simple ratios of them; of each also the one that keeps clear of its
    beats."""
    found = []
    for ratio in _RATIOS:
        slowest, fastest = max(tempi_bpm[0] * ratio, SLOWEST_BPM), min(tempi_bpm[1] * ratio, FASTEST_BPM)
        if slowest >= fastest * 0.9:
            continue
        pulse = Pulse(*beat_path(nats, slowest, fastest), first=ratio == 1)
        if len(pulse.beats) >= FEWEST:
            found += [
                pulse,
                Pulse(*beat_path(_between(nats, pulse.beats), slowest, fastest), first=False),
            ]
    return [pulse for pulse in found if len(pulse.beats) >= FEWEST]


def _between(nats: Seconds, beats: Seconds) -> Seconds:
    left = nats.copy()
    for beat, interval in zip(beats, np.diff(beats, append=2 * beats[-1] - beats[-2]), strict=True):
        near = slice(
            max(0, int((beat - _TAKEN * interval) * RATE)), int((beat + _TAKEN * interval) * RATE) + 1
        )
        left[near] = np.minimum(left[near], _NONE)
    return left


def ranked(heard: Heard, nats: Seconds, pulses: list[Pulse]) -> list[Pulse]:
    """The likeliest first."""
    scores = np.array([described(heard, nats, pulse) for pulse in pulses]) @ weights()["levels"]
    likely = np.exp(scores - np.logaddexp.reduce(scores))
    order = np.argsort(-likely)
    return [replace(pulses[one], likely=float(likely[one])) for one in order]


def described(heard: Heard, nats: Seconds, pulse: Pulse, classifier: _Doubles | None = None) -> _Doubles:
    """(columns,): how well a pulse explains what is heard, its tempo, what is heard at its beats, half-way between
    them, on odd ones but not on even ones, and how well bars fit it."""
    beats, halves = pulse.beats, (pulse.beats[:-1] + pulse.beats[1:]) / 2
    on, off = (at_beats(heard, times).astype(np.float64) for times in (beats, halves))
    last = len(nats) - 1
    at, between = (nats[np.clip(np.round(times * RATE), 0, last).astype(int)] for times in (beats, halves))
    octaves = np.log2(pulse.tempo_bpm / 120)
    whole = len(nats) / RATE
    return np.array(
        [
            *(pulse.first, pulse.nats / whole, at.sum() / whole, at.mean(), (at > 0).mean()),
            *(between.mean(), (between > 0).mean(), octaves, octaves**2),
            len(beats) * 60 / pulse.tempo_bpm / whole,
            *on[:, :9].mean(axis=0),
            *off[:, :9].mean(axis=0),
            *np.log(on[:, 9:] + 0.05).mean(axis=0),
            *np.abs(on[::2, 1:9].mean(axis=0) - on[1::2, 1:9].mean(axis=0)),
            find_bars(at_beats(heard, beats), classifier).fit,
        ]
    )
