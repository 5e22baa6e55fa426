"""Where the beats are: the path through tempi and places within a beat that best explains what is heard.

After Krebs, Böck and Widmer, "An Efficient State-Space Model for Joint Tempo and Meter Tracking" (2015): the tempo
changes at beats only, so that no frame between beats needs a state of its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import Floats

Seconds = npt.NDArray[np.float64]

RATE = 100
"""Steps a second at which beats may lie."""
SLOWEST_BPM, FASTEST_BPM = 28.0, 320.0  # somewhat beyond 30 and 300, so that these may drift
_SHORTEST, _LONGEST = round(60 * RATE / FASTEST_BPM), round(60 * RATE / SLOWEST_BPM)
_TEMPO_STEP = 0.017
"""At most, between tempi that are told apart."""
_WANDER = 0.02
"""Standard deviation of the logarithm of what one beat is long, over the one before."""
_REACH = 0.1
"""What a beat may be longer or shorter than the one before, but for steps."""
_STEP = 14.0
"""What a step to any tempo costs, in nats: as four beats that fall on nothing."""
_REST = 8.0
"""What it costs to begin and to end a passage with beats: so much more likely it must be than none."""
_QUIET = -3.0
"""What a beat on which nothing is heard costs at most."""
_CHANCE = 0.08
"""Share of frames that the network takes for beats in music, two in 25."""
_AROUND = 100
"""Frames, 2 s: where much is taken for beats throughout (noise, speech), a beat must stand out from it."""
_SOFTEN = 0.02
_BEAT = 0.5
"""What a beat must be more likely than none, in nats: half a tempo explains as much by fewer."""
_HASTE, _HASTY_BPM = 0.5, 140.0
"""And by how much more for every octave above that tempo."""


def evidence(sure: Floats) -> Seconds:
    """How much more likely a beat is than none, in nats, 100 times a second. sure: 0…1 that it is one, at 50 Hz."""
    from scipy.ndimage import uniform_filter1d

    usual = np.clip(uniform_filter1d(sure.astype(np.float64), _AROUND, mode="nearest"), _CHANCE, 0.9)
    nats = np.log((sure + _SOFTEN) / (1 - sure + _SOFTEN)) - np.log(usual / (1 - usual))
    doubled: Seconds = np.interp(np.arange(2 * len(sure) - 1) / 2, np.arange(len(sure)), nats)
    return doubled


def _intervals() -> npt.NDArray[np.int64]:
    found = [_SHORTEST]
    while found[-1] < _LONGEST:
        found.append(max(found[-1] + 1, int(found[-1] * (1 + _TEMPO_STEP))))
    return np.array(found)


_INTERVALS = _intervals()


def _neighbours(intervals: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Seconds]:
    """Which intervals may go before each, (intervals, neighbours), and what that costs."""
    logs = np.log(intervals)
    lowest = np.searchsorted(logs, logs - _REACH)
    width = int((np.searchsorted(logs, logs + _REACH) - lowest).max())
    before = np.minimum(lowest[:, np.newaxis] + np.arange(width), len(intervals) - 1)
    return before, -0.5 * ((logs[:, np.newaxis] - logs[before]) / _WANDER) ** 2


def beat_path(
    nats: Seconds, slowest_bpm: float = SLOWEST_BPM, fastest_bpm: float = FASTEST_BPM
) -> tuple[Seconds, float]:
    """Times of the beats in seconds, and how much more likely they are than none at all, in nats.

    nats: of `evidence`.
    """
    shortest, longest = 60 * RATE / fastest_bpm, 60 * RATE / slowest_bpm
    intervals = _INTERVALS[(np.floor(shortest) <= _INTERVALS) & (np.ceil(longest) >= _INTERVALS)]
    before, cost = _neighbours(intervals)
    worth = -_BEAT - _HASTE * np.maximum(0, np.log2(60 * RATE / _HASTY_BPM / intervals))
    states = len(intervals)
    steps, block = (
        len(nats),
        int(intervals[0]),
    )  # a beat depends on none within the shortest interval before it
    nats = np.maximum(nats, _QUIET)
    leaving = np.full((_LONGEST + steps + block, states), -np.inf)
    """Best score of what ends with a beat at a step (the first after _LONGEST of nothing), an interval ahead."""
    came = np.full((steps, states), -1, np.int16)  # the interval before; −1: none, a passage begins
    best = np.full(steps, -np.inf)
    reached = np.zeros(steps, np.int64)  # the interval with which the best beat at a step is reached
    resting = np.zeros(steps + 1)  # best score of what is at rest before a step
    ended = np.full(steps + 1, -1)  # the beat with which its last passage ended
    at = np.arange(block)[:, np.newaxis] + _LONGEST - intervals
    columns = np.arange(states)
    for start in range(0, steps, block):
        stop = min(start + block, steps)
        here = slice(start, stop)
        arriving = leaving[at[: stop - start] + start, columns] + nats[here, np.newaxis] + worth
        reached[here] = arriving.argmax(axis=1)
        best[here] = arriving.max(axis=1)
        rests = np.maximum.accumulate(np.maximum(best[here] - _REST, resting[start]))
        resting[start + 1 : stop + 1] = rests
        new = rests > np.concatenate([resting[start : start + 1], rests[:-1]])
        last = np.maximum.accumulate(np.where(new, np.arange(start, stop), -1))
        ended[start + 1 : stop + 1] = np.where(last >= 0, last, ended[start])
        options = arriving[:, before] + cost
        choice = options.argmax(axis=2)
        score = np.take_along_axis(options, choice[..., np.newaxis], axis=2)[..., 0]
        source = before[columns, choice]
        stepped = (best[here] - _STEP)[:, np.newaxis]
        source = np.where(score < stepped, reached[here, np.newaxis], source)
        score = np.maximum(score, stepped)
        begun = (resting[here] - _REST + nats[here])[:, np.newaxis]
        came[here] = np.where(score < begun, -1, source)
        leaving[_LONGEST + start : _LONGEST + stop] = np.maximum(score, begun)
    final = max(0, steps - _LONGEST)  # a song may end on a beat, or be cut off after one
    if steps and best[final:].max() > resting[-1]:
        total, end = float(best[final:].max()), final + int(best[final:].argmax())
    else:
        total, end = float(resting[-1]), int(ended[-1])
    return _traced(came, reached, ended, intervals, end), total


def _traced(
    came: npt.NDArray[np.int16],
    reached: npt.NDArray[np.int64],
    ended: npt.NDArray[np.int64],
    intervals: npt.NDArray[np.int64],
    end: int,
) -> Seconds:
    """The beats of the best path to that step, from the last back to the first."""
    found = []
    while end >= 0:
        interval = int(reached[end])
        while interval >= 0:
            found.append(end)
            end -= int(intervals[interval])
            interval = int(came[end, interval])
        found.append(end)
        end = int(ended[end])
    return np.array(found[::-1]) / RATE
