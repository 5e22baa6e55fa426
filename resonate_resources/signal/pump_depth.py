"""How deep a stem falls at the strokes that it pumps with, before the room that it sounds in.

A room fills the fall: what sounded before the stroke rings on in it. Falls of all depths and laws, each as rooms
of several strengths leave it, are compared with the stem's levels. The depth told is the middle of all, weighted by
how few levels each leaves untold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Shape = Literal["exponential", "linear"]

LINEAR_REST = 1 - float(np.exp(-1))
"""Of the length of a linear fall: then 1/e of it is left."""

_DEPTHS_DB = 0.5 * 1.15 ** np.arange(26)  # to 16.5
_LINEAR_S = 0.08 * 1.2 ** np.arange(13)  # until nothing is left: to 0.71
_EXPONENTIAL_S = 0.04 * 1.2 ** np.arange(11)  # to 0.25
# Rooms' power over the direct sound's, and the time in which it falls to 1/e, RT60 / 13.8.
_STRENGTHS_DB, _FADES_S = (-8.0, -5.0, -2.0, 1.0, 4.0), (0.04, 0.13)
_TEMPERATURE = 5.0  # levels untold for a weight of 1/e, by dB² of stray: neighbouring levels err together
_IN_A_ROOM = 0.3  # of each of these rooms, how likely it is against none
_WAVER_S2 = (1.0 / 15.0) ** 2  # levels waver by 1 dB, slopes of notes by 15 dB/s


@dataclass(frozen=True)
class Depth:
    """depth_db: 0.5 to 16.5; least_db, most_db: 80 % of the weight lies between; release_s: until 1/e of the fall,
    in dB, is left."""

    depth_db: float
    least_db: float
    most_db: float
    release_s: float
    shape: Shape


@dataclass(frozen=True)
class Heard:
    """What is looked at of a stem, (n,) each: the levels' numbers, seconds behind a stroke, the stroke's number,
    rising."""

    frames: Ints
    seconds: Floats
    stroke: Ints


def hear_depth(levels: Floats, hop_s: float, strokes: Floats, heard: Heard, stray_db: float) -> Depth:
    """levels: in dB, (frames,), each hop_s; strokes: in s, rising; stray_db: how far off its course a level is.

    Of each stroke a level and a slope are taken off, which are the music's own.
    """
    told = _without_own(levels[heard.frames], heard)
    laws: list[tuple[Shape, float]] = [("linear", float(s)) for s in _LINEAR_S]
    laws += [("exponential", float(s)) for s in _EXPONENTIAL_S]
    times = np.arange(len(levels)) * hop_s
    last = np.searchsorted(strokes, times, side="right") - 1
    since = np.where(last >= 0, times - strokes[np.maximum(last, 0)], np.inf)

    def untold_by(power: Floats) -> Floats:
        falls = 10 * np.log10(_in_rooms(power, hop_s, heard.frames))
        off = (told - _without_own(falls, heard)) / stray_db
        return np.asarray(np.sum(1 - np.exp(-np.square(off) / 2), axis=-1))  # Welsch's loss

    losses = []
    for shape, seconds in laws:
        left = np.maximum(0, 1 - since / seconds) if shape == "linear" else np.exp(-since / seconds)
        losses.append([untold_by(10 ** (-depth * left / 10)) for depth in _DEPTHS_DB])
    untold = np.array(losses)  # (laws, depths, rooms)
    likely: Floats = np.exp((untold.min() - untold) / (_TEMPERATURE * stray_db**2))
    weight: Floats = likely[..., 0] + _IN_A_ROOM * likely[..., 1:].sum(axis=2)  # of laws and depths
    releases = np.array([s * LINEAR_REST if shape == "linear" else s for shape, s in laws])
    order = releases.argsort()
    least, depth, most = _quantiles(_DEPTHS_DB, weight.sum(axis=0), (0.1, 0.5, 0.9))
    (release,) = _quantiles(releases[order], weight.sum(axis=1)[order], (0.5,))
    return Depth(depth, least, most, release, laws[int(weight.sum(axis=1).argmax())][0])


def _in_rooms(power: Floats, hop_s: float, frames: Ints) -> Floats:
    """(frames,) → (rooms, n): the power of a stem that falls so, dry and in rooms, against what it is unfallen."""
    from scipy.signal import lfilter

    rooms = [power[frames]]
    for fades_s in _FADES_S:
        kept = float(np.exp(-hop_s / fades_s))
        ringing = lfilter([1 - kept], [1, -kept], power, zi=[kept])[0][frames]
        rooms += [(rooms[0] + g * ringing) / (1 + g) for g in (10 ** (s / 10) for s in _STRENGTHS_DB)]
    return np.stack(rooms)


def _without_own(rows: Floats, heard: Heard) -> Floats:
    """(…, n) less the level and the slope of each stroke; slopes are held near 0 as far as few levels tell them."""
    starts = np.flatnonzero(np.diff(heard.stroke, prepend=-1))
    row = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(heard.stroke)))
    time = heard.seconds
    count, first, second = (np.add.reduceat(time**power, starts) for power in (0, 1, 2))
    second = second + _WAVER_S2
    determinant = count * second - first**2
    total, moment = np.add.reduceat(rows, starts, axis=-1), np.add.reduceat(rows * time, starts, axis=-1)
    level = (second * total - first * moment) / determinant
    slope = (count * moment - first * total) / determinant
    return np.asarray(rows - level[..., row] - slope[..., row] * time, np.float64)


def _quantiles(
    values: npt.NDArray[np.floating], weight: npt.NDArray[np.floating], parts: tuple[float, ...]
) -> tuple[float, ...]:
    """Of values, rising, that are weighted; between two of them by how much lies there."""
    below = (np.cumsum(weight) - weight / 2) / weight.sum()
    return tuple(np.interp(parts, below, values).tolist())
