"""Where the beats are: the path through tempi and places within a beat that best explains what is heard.

After Krebs, Böck and Widmer, "An Efficient State-Space Model for Joint Tempo and Meter Tracking" (2015): the tempo
changes at beats only, so that no frame between beats needs a state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.band_levels import Floats

Seconds = npt.NDArray[np.float64]

RATE = 100
"""Steps a second at which beats may lie."""
SLOWEST_BPM, FASTEST_BPM = 28.0, 320.0  # somewhat beyond 30 and 300, so that these may drift
_CHANCE = 0.08
"""Share of frames that the network takes for beats in music, two in 25."""
_AROUND = 100
"""Frames, 2 s: where much is taken for beats throughout (noise, speech), a beat must stand out from it."""
_SOFTEN = 0.02
_HASTY_BPM = 140.0


@dataclass(frozen=True)
class Prior:
    """What is expected of pulses before anything is heard. wander: standard deviation of the logarithm of what one
    interval is, over the one before. spacing: between tempi that are told apart, as a logarithm. reach: how many of
    these an interval may be from the one before, but for steps.

    In nats, step, rest: what a step to any tempo costs, and a pause. quiet: what a pulse on which nothing is heard
    costs at most. pulse: what one must be more likely than none, as half a tempo explains as much by fewer; haste:
    by how much more for every octave above 140 BPM.
    """

    wander: float
    spacing: float
    reach: int
    step: float
    rest: float
    quiet: float = -3.0
    pulse: float = 0.5
    haste: float = 0.5


LOOSE = Prior(0.02, 0.017, 6, step=14.0, rest=8.0)
"""Of beats that follow players. A step costs as four beats that fall on nothing."""
SUPPLE = Prior(0.006, 0.005, 3, step=30.0, rest=30.0)
"""Of a tempo that moves slowly, or by a step."""


TATUMS = Prior(0.006, 0.005, 3, step=30.0, rest=30.0, quiet=-0.5, pulse=0.0, haste=0.0)
FIRM_TATUMS = Prior(0.003, 0.006, 2, step=1000.0, rest=1000.0, quiet=-0.5, pulse=0.0, haste=0.0)
"""Of the fastest pulse, on which what is played off the beat falls, too: it need not be heard everywhere, and
neither syncopation nor a pause moves it."""


def evidence(sure: Floats) -> Seconds:
    """How much more likely a beat is than none, in nats, 100 times a second. sure: 0…1 that it is one, at 50 Hz."""
    from scipy.ndimage import uniform_filter1d

    usual = np.clip(uniform_filter1d(sure.astype(np.float64), _AROUND, mode="nearest"), _CHANCE, 0.9)
    nats = np.log((sure + _SOFTEN) / (1 - sure + _SOFTEN)) - np.log(usual / (1 - usual))
    doubled: Seconds = np.interp(np.arange(2 * len(sure) - 1) / 2, np.arange(len(sure)), nats)
    return doubled


def beat_path(
    nats: Seconds, slowest_bpm: float = SLOWEST_BPM, fastest_bpm: float = FASTEST_BPM, prior: Prior = LOOSE
) -> tuple[Seconds, float]:
    """Times of the beats in seconds, and how much more likely they are than none at all, in nats.

    nats: of `evidence`. A beat falls on the step nearest to where its tempo puts it, and the next is counted from
    that place, not from the step: so a tempo is held over many beats, however its beats fall on steps.
    """
    shortest, longest = 60 * RATE / fastest_bpm, 60 * RATE / slowest_bpm
    states = max(2, int(np.log(longest / shortest) / prior.spacing) + 1)
    intervals = np.geomspace(shortest, longest, states)
    whole = np.floor(intervals).astype(np.int64)
    apart = np.arange(-prior.reach, prior.reach + 1) * np.log(longest / shortest) / (states - 1)
    moving = -0.5 * (apart / prior.wander) ** 2
    worth = -prior.pulse - prior.haste * np.maximum(0, np.log2(60 * RATE / _HASTY_BPM / intervals))
    nats = np.maximum(nats, prior.quiet)
    steps, block = len(nats), int(whole[0])  # a beat depends on none within the shortest interval before it
    before = int(whole.max()) + 1
    # Of the last steps: the best score of what has a beat there, an interval ahead, and where its next beat lies.
    leaving, due = np.full((before, states), -np.inf), np.zeros((before, states))
    came = np.full((steps, states), -1, np.int16)  # the interval before; −1: none, a passage begins
    later = np.zeros((steps, states), np.bool_)  # the beat before lies one step more than whole before
    best = np.full(steps, -np.inf)
    reached = np.zeros(steps, np.int64)  # the interval with which the best beat at a step is reached
    resting = np.zeros(steps + 1)  # best score of what is at rest before a step
    ended = np.full(steps + 1, -1)  # the beat with which its last passage ended
    columns = np.arange(states)
    at = before + np.arange(block)[:, np.newaxis] - whole
    for start in range(0, steps, block):
        stop = min(start + block, steps)
        here = np.arange(start, stop)[:, np.newaxis]
        rows = at[: stop - start]
        near, far = due[rows, columns], due[rows - 1, columns]
        from_near = np.where(np.floor(near + 0.5) == here, leaving[rows, columns], -np.inf)
        from_far = np.where(np.floor(far + 0.5) == here, leaving[rows - 1, columns], -np.inf)
        later[start:stop] = from_far > from_near
        arriving = np.maximum(from_near, from_far) + nats[here] + worth
        falls = np.where(later[start:stop], far, near)
        reached[start:stop] = arriving.argmax(axis=1)
        best[start:stop] = arriving.max(axis=1)
        rests = np.maximum.accumulate(np.maximum(best[start:stop] - prior.rest, resting[start]))
        resting[start + 1 : stop + 1] = rests
        new = rests > np.concatenate([resting[start : start + 1], rests[:-1]])
        last = np.maximum.accumulate(np.where(new, here[:, 0], -1))
        ended[start + 1 : stop + 1] = np.where(last >= 0, last, ended[start])
        going, choice = _moved(arriving, prior.reach, moving)
        stepped = best[start:stop, np.newaxis] - prior.step
        np.copyto(choice, reached[start:stop, np.newaxis], where=stepped > going)
        going = np.maximum(going, stepped)
        falls = np.take_along_axis(falls, choice, axis=1)
        begun = (resting[start:stop] + nats[start:stop])[:, np.newaxis]
        np.copyto(falls, here, where=begun > going)
        came[start:stop] = np.where(begun > going, -1, choice)
        leaving = np.concatenate([leaving[len(here) :], np.maximum(going, begun)])
        due = np.concatenate([due[len(here) :], falls + intervals])
    total, end = float(resting[-1]), int(ended[-1])
    if steps and best.max() > total:
        total, end = float(best.max()), int(best.argmax())
    return _traced(came, whole, later, reached, ended, end), total


def _moved(arriving: Seconds, reach: int, moving: Seconds) -> tuple[Seconds, npt.NDArray[np.int64]]:
    """(steps, intervals): best scores after a move to a neighbouring interval, and from which of these."""
    states = arriving.shape[1]
    options = np.pad(arriving, ((0, 0), (reach, reach)), constant_values=-np.inf)
    best, choice = arriving.copy(), np.broadcast_to(np.arange(states), arriving.shape).copy()
    for place, cost in enumerate(moving.tolist()):
        moved = options[:, place : place + states] + cost
        better = moved > best
        np.copyto(best, moved, where=better)
        np.copyto(choice, np.arange(states) + place - reach, where=better)
    return best, choice


def _traced(
    came: npt.NDArray[np.int16],
    whole: npt.NDArray[np.int64],
    later: npt.NDArray[np.bool_],
    reached: npt.NDArray[np.int64],
    ended: npt.NDArray[np.int64],
    end: int,
) -> Seconds:
    """The beats of the best path to that step, from the last back to the first."""
    found = []
    while end >= 0:
        interval = int(reached[end])
        while interval >= 0:
            found.append(end)
            length = int(whole[interval]) + int(later[end, interval])
            end -= length
            interval = int(came[end, interval])
        found.append(end)
        end = int(ended[end])
    return np.array(found[::-1]) / RATE
