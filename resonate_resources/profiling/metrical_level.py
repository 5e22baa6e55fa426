"""Which pulse is the beat: among those found with more or less freedom, or every second, third … of tatums.

Tatums, the fastest pulse (Bilmes 1993), are followed because what is played off the beat falls on them, too. A
conditional logit (McFadden 1974), fitted to songs whose beats are known
(`resonate_tests/benchmarks/fit_beats.py`), decides by what is heard at the beats of each and between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.bars import bar_fits
from resonate_resources.profiling.beat_features import Frames, Seconds, at_beats, at_times
from resonate_resources.profiling.beat_path import (
    FASTEST_BPM,
    FIRM_TATUMS,
    RATE,
    SLOWEST_BPM,
    SUPPLE,
    TATUMS,
    beat_path,
)

FEWEST = 6
"""Beats, of which one can say more than that they are there."""
_COUNTED = {2.0: (1, 2, 3, 4, 6), 3.0: (1, 2, 3, 6), 4.0: (1, 2, 3, 4, 8), 1.5: (1, 2, 3)}
"""Tatums in what was found first to be a beat, and of how many of them a beat may be made."""
_SLOWER, _FASTER = 0.81, 1.23
"""How far a pulse may move from its median, a third of an octave to either side, or a little beyond where it
goes."""
_BEYOND = 1.1
_WIDEST = 2.0
"""From slowest to fastest, of one pulse: what goes further has changed its level."""
_USUAL_BPM, _OCTAVES = 120.0, 0.45
"""Tempi that people prefer (Moelants 2002), and their standard deviation: by cross-validation of 0.3 to 1."""
_SAME_S, _SAME = 0.03, 0.95
"""Pulses of which so large a part lies so near to the other's are one."""
_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """beats in seconds; first: at the tempo found first; likely: 0…1, against the others."""

    beats: Seconds
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


def candidates(nats: Seconds, tempi_bpm: tuple[float, float], first: Seconds) -> list[Pulse]:
    """The beats found first, what holds its tempo more firmly between these, and what tatums can be counted into;
    no pulse twice, and none of fewer than six beats."""
    found: list[Pulse] = []
    supple, _ = beat_path(nats, *tempi_bpm, SUPPLE)
    for pulse in (Pulse(first, True), Pulse(supple, True), *_counted(nats, tempi_bpm)):
        if (
            len(pulse.beats) >= FEWEST
            and SLOWEST_BPM <= pulse.tempo_bpm <= FASTEST_BPM
            and not any(_same(pulse.beats, one.beats) for one in found)
        ):
            found.append(pulse)
    return found


def _counted(nats: Seconds, tempi_bpm: tuple[float, float]) -> Iterator[Pulse]:
    for prior, ratios in ((FIRM_TATUMS, tuple(_COUNTED)), (TATUMS, (2.0,))):
        for ratio in ratios:
            tatums, _ = beat_path(nats, tempi_bpm[0] * ratio, tempi_bpm[1] * ratio, prior)
            for count in _COUNTED[ratio]:
                for place in range(count):
                    yield Pulse(tatums[place::count], count == ratio)


def _same(one: Seconds, other: Seconds) -> bool:
    if abs(len(one) - len(other)) > 0.03 * len(one) + 1:
        return False
    after = np.clip(np.searchsorted(other, one), 1, len(other) - 1)
    apart = np.minimum(np.abs(one - other[after - 1]), np.abs(one - other[after]))
    return bool(np.mean(apart < _SAME_S) > _SAME)


def ranked(frames: Frames, nats: Seconds, pulses: list[Pulse], fitted: Mapping[str, _Doubles]) -> list[Pulse]:
    """The likeliest first, by what was fitted: the entries "places" and "levels" of `beats.npz`."""
    fits = bar_fits([at_beats(frames, pulse.beats) for pulse in pulses], fitted["places"])
    table = np.column_stack([[described(frames, nats, pulse) for pulse in pulses], fits])
    octaves = np.log2([pulse.tempo_bpm / _USUAL_BPM for pulse in pulses])
    scores = table @ fitted["levels"] - 0.5 * (octaves / _OCTAVES) ** 2
    likely = np.exp(scores - np.logaddexp.reduce(scores))
    return [replace(pulses[one], likely=float(likely[one])) for one in np.argsort(-likely)]


def described(frames: Frames, nats: Seconds, pulse: Pulse) -> _Doubles:
    """(columns,): how well a pulse explains what is heard, its tempo and how much that varies, what is heard at
    its beats and at parts of them, and on odd ones but not on even ones."""
    beats = pulse.beats
    intervals = np.diff(beats)
    places = beats[:-1] + intervals * np.array([[1 / 4], [1 / 3], [1 / 2], [2 / 3], [3 / 4]])
    quarter, third, half, other_third, other_quarter = (
        at_times(frames, times).mean(axis=0) for times in places
    )
    on = at_beats(frames, beats).astype(np.float64)
    at, between = (
        nats[np.clip(np.round(times * RATE), 0, len(nats) - 1).astype(int)] for times in (beats, places[2])
    )
    octaves = np.log2(pulse.tempo_bpm / 120)
    whole = len(nats) / RATE
    turns = np.clip(np.diff(np.log(intervals)), -0.2, 0.2)
    return np.array(
        [
            *(
                pulse.first,
                at.sum() / whole,
                at.mean(),
                (at > 0).mean(),
                between.mean(),
                (between > 0).mean(),
            ),
            *(octaves, octaves**2, len(beats) * 60 / pulse.tempo_bpm / whole),
            *(np.sqrt(np.mean(turns**2)), np.abs(turns).mean()),
            *on[:, :9].mean(axis=0),
            *half,
            *(third + other_third),
            *quarter,
            *other_quarter,
            *np.log(on[:, 9:] + 0.05).mean(axis=0),
            *np.abs(on[::2, 1:9].mean(axis=0) - on[1::2, 1:9].mean(axis=0)),
        ]
    )
