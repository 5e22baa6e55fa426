"""Whether music pumps: its bass and chords go down whenever the kick sounds, and come back between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.pump_depth import LINEAR_REST, Heard, Shape, hear_depth
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Law = Callable[[Floats], Floats]

HOP_S = 0.01
"""Seconds from one of `levels_db` to the next."""

_RATE = 8000  # Hz
_FRAME_S = 0.03
_BEFORE_S, _LONGEST_S = 0.06, 1.0  # of what is looked at around a stroke
_FEWEST_FRAMES = 15  # behind a stroke, up to the next one or another note: a shape needs so many
_RELEASES_S = 0.045 * 1.15 ** np.arange(18)  # to 0.48
_LONGEST_EXPONENTIAL_S = 0.25  # a longer one is nearly straight within what is looked at
_AUDIBLE_DB = 40.0  # what is further under the stem's loud parts is a rest
# Within 20 ms, but for the first 50 ms: there deep falls come back so fast.
_NOTE_RISES_DB, _NOTE_FALLS_DB = 4.0, 6.0
_NOTE_FROM_S = 0.05
_SLOPE_DB_S, _LEVEL_DB = 15.0, 1.0  # how steeply notes usually fall by themselves; how much levels waver
_STRAY_DB = 2.0  # further off its course a level is another note's
_DEPTHS_DB = np.arange(-6.0, 24.0, 0.1)
_ALIKE_DB = 1.0  # how far falls of one depth lie apart
_FEWEST, _ENOUGH = 8.0, 16.0  # strokes
_SLIGHT_DB, _PLAIN_DB = 0.5, 4.3
# Of 122 stems of composed songs that don't pump one had 0.13 explained, all others 0.07 at most.
_UNLIKE, _LIKE = 0.13, 0.26
_SOME, _MOST = 0.4, 0.65  # of the strokes, by how much they tell, that a fall comes with
_BESIDE_S = 0.025  # strokes are found within 10 ms, and levels are of 30
_OFTEN = 160  # strokes that a depth is heard from, evenly chosen
_STRAYS, _LEAST_STRAY_DB = 2.2, 0.5  # of the median by which levels lie off their course
_VAGUE_DB, _SURE_DB = 9.0, 4.0  # between which 80 % of the depths lie that might be


@dataclass(frozen=True)
class Pumping:
    """Of one stem. depth_db: how far it falls at a stroke, before the room that it sounds in; release_s: in which
    the fall, in dB, goes back to 1/e; shape: in dB; confidence: 0 to 1, that this is pumping, and not how the music
    is played, and as deep."""

    depth_db: float
    release_s: float
    shape: Shape
    confidence: float

    def left(self, since_s: Floats) -> Floats:
        """The part of the fall, in dB, that is left so many seconds behind a stroke: 1 at once, then less."""
        if self.shape == "exponential":
            return _exponential(self.release_s, since_s)
        return _linear(self.release_s / LINEAR_REST, since_s)


_STILL = Pumping(0.0, 0.1, "exponential", 0.0)


def hear_pumping(stem: Recording, strokes: Seconds) -> Pumping:
    """Compare the stem's level in dB around each stroke, in s, rising, with a fall that goes back by one law.

    What is played has a level and a slope of its own at each stroke; what most strokes have in common is the fall:
    at once down, smoothly back. Its law is the one that leaves the fewest levels untold.
    """
    levels = levels_db(stem)
    around, at, heard, since = _courses(levels, strokes)
    if len(at) < _FEWEST:
        return _STILL
    courses = levels[at.clip(0, len(levels) - 1)]
    own = _without_own(around, heard)
    told = own(courses)
    least = still = _untold(told, heard)
    found, together, stray = _STILL, 0.0, _STRAY_DB
    for shape, release_s, law in _laws():
        fall = own(-law(since))
        weights = np.einsum("st,st->s", fall, fall)
        each = np.einsum("st,st->s", fall, told) / np.maximum(weights, 1e-9)
        depth_db = _most_common(each, weights)
        untold = _untold(told - depth_db * fall, heard)
        if untold < least and depth_db > 0:
            found, least = Pumping(depth_db, release_s, shape, 1.0), untold
            together = float(weights[each > depth_db / 2].sum() / weights.sum())
            stray = float(np.median(np.abs(told - depth_db * fall)[heard]))
    confidence = (
        smoothly(1 - least / max(still, 1e-9), _UNLIKE, _LIKE)
        * smoothly(together, _SOME, _MOST)
        * smoothly(found.depth_db, _SLIGHT_DB, _PLAIN_DB)
        * smoothly(len(courses), _FEWEST, _ENOUGH)
    )
    if confidence == 0:
        return _STILL
    wide = max(_LEAST_STRAY_DB, min(_STRAY_DB, _STRAYS * stray))
    chosen = np.unique(np.linspace(0, len(at) - 1, min(len(at), _OFTEN)).round().astype(int))
    looked = heard[chosen] & (np.abs(around) > _BESIDE_S)
    row, column = np.nonzero(looked)
    deep = hear_depth(levels, HOP_S, strokes, Heard(at[chosen][looked], around[column], row), wide)
    confidence *= smoothly(deep.most_db - deep.least_db, _VAGUE_DB, _SURE_DB)
    return Pumping(deep.depth_db, deep.release_s, deep.shape, confidence)


def _laws() -> Iterator[tuple[Shape, float, Law]]:
    """What is left of the fall so many seconds behind a stroke, 1 at once, 1/e in release_s."""
    for release_s in _RELEASES_S.tolist():
        if release_s <= _LONGEST_EXPONENTIAL_S:
            yield "exponential", release_s, partial(_exponential, release_s)
        yield "linear", release_s, partial(_linear, release_s / LINEAR_REST)


def _exponential(release_s: float, since: Floats) -> Floats:
    return np.asarray(np.exp(-since / release_s), np.float64)


def _linear(whole_s: float, since: Floats) -> Floats:
    return np.asarray(np.maximum(0, 1 - since / whole_s), np.float64)


def levels_db(stem: Recording) -> Floats:
    """(frames,): in dB, one each 10 ms, the first centred on the first sample."""
    frame, hop = round(_FRAME_S * _RATE), round(HOP_S * _RATE)
    window = np.hanning(frame + 1)[:-1]
    window /= window.sum()
    parts = [
        10 * np.log10(np.square(frames) @ window + 1e-12)
        for frames in overlapping_frames(mono_blocks(stem, _RATE), frame, hop)
    ]
    return np.asarray(np.concatenate([*parts, np.zeros(0)]), np.float64)


def _courses(levels: Floats, strokes: Seconds) -> tuple[Floats, Ints, Mask, Floats]:
    """Times around a stroke in s, (times,), and (strokes, times) each: numbers of the levels there, whether they
    are heard, and the time since the last stroke. Heard is what lies between the strokes before and behind, until a
    note begins or ends; strokes with little of it are left out."""
    around = np.arange(-round(_BEFORE_S / HOP_S), round(_LONGEST_S / HOP_S))
    around = around[np.abs(around) * HOP_S > _FRAME_S / 2]  # frames that hear the fall itself are neither
    seconds = np.asarray(around * HOP_S, np.float64)
    apart = np.diff(strokes)
    before = np.concatenate([np.full(min(1, len(strokes)), np.inf), apart])[:, None]
    behind = np.append(apart, np.full(min(1, len(strokes)), np.inf))[:, None]
    at = np.round(strokes / HOP_S).astype(int)[:, None] + around
    inside = (at >= 0) & (at < len(levels))
    courses = np.pad(levels, 1)[(at + 1).clip(0, len(levels) + 1)]
    audible = np.percentile(levels, 95) - _AUDIBLE_DB if len(levels) else 0.0
    steps = np.zeros_like(courses)
    steps[:, 2:] = courses[:, 2:] - courses[:, :-2]
    note = ((steps > _NOTE_RISES_DB) | (steps < -_NOTE_FALLS_DB)) & (seconds > _NOTE_FROM_S)
    ended = np.maximum.accumulate((note | (courses < audible)) & (seconds > 0), axis=1)
    heard = inside & ~ended & (courses > audible)
    heard &= (seconds < behind - _FRAME_S / 2) & (seconds + before > _FRAME_S / 2)
    since = np.where(seconds < 0, seconds + before, seconds)
    enough = (heard & (seconds > 0)).sum(axis=1) >= _FEWEST_FRAMES
    return seconds, at[enough], heard[enough], since[enough]


def _without_own(around: Floats, heard: Mask) -> Callable[[Floats], Floats]:
    """Takes off each row, (strokes, times), the level and the slope that it has of its own; slopes are held near 0
    as far as few levels tell them (ridge regression). 0 where nothing is heard."""
    count, first = heard.sum(axis=1), heard @ around
    second = heard @ np.square(around) + (_LEVEL_DB / _SLOPE_DB_S) ** 2
    determinant = count * second - first**2

    def own(rows: Floats) -> Floats:
        rows = np.where(heard, rows, 0.0)
        total, moment = rows.sum(axis=1), rows @ around
        level = (second * total - first * moment) / determinant
        slope = (count * moment - first * total) / determinant
        return np.where(heard, rows - level[:, None] - slope[:, None] * around, 0.0)

    return own


def _untold(left: Floats, heard: Mask) -> float:
    """How many levels lie off their course, each by 0 to 1 (Welsch's loss): one note more costs no more than 1."""
    return float(np.sum(1 - np.exp(-np.square(left[heard] / _STRAY_DB) / 2)))


def _most_common(depths: Floats, weights: Floats) -> float:
    """The mode of the depths in dB: notes that begin at strokes give depths of any size, pumping one."""
    counted = np.minimum(weights, np.percentile(weights, 75))
    density = np.zeros(len(_DEPTHS_DB))
    for start in range(0, len(depths), 1024):
        part = slice(start, start + 1024)
        off = (_DEPTHS_DB[:, None] - depths[part]) / _ALIKE_DB
        density += np.exp(-np.square(off) / 2) @ counted[part]
    return float(_DEPTHS_DB[density.argmax()])
