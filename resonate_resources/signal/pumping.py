"""Whether music pumps: its bass and chords go down whenever the kick sounds, and come back between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Law = Callable[[Floats], Floats]
Shape = Literal["exponential", "linear"]

_RATE = 8000  # Hz
_HOP_S, _FRAME_S = 0.01, 0.03
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
# Over 60 stems of composed songs that don't pump no more than 0.07 was explained (docs/measurements.md).
_UNLIKE, _LIKE = 0.12, 0.4
_SOME, _MOST = 0.4, 0.65  # of the strokes, by how much they tell, that a fall comes with


@dataclass(frozen=True)
class Pumping:
    """Of one stem. depth_db: how far it falls at a stroke; release_s: in which the fall, in dB, goes back to 1/e;
    shape: in dB; confidence: 0 to 1, that this is pumping and not how the music is played."""

    depth_db: float
    release_s: float
    shape: Shape
    confidence: float


_STILL = Pumping(0.0, 0.1, "exponential", 0.0)


def hear_pumping(stem: Recording, strokes: Seconds) -> Pumping:
    """Compare the stem's level in dB around each stroke, in s, rising, with a fall that goes back by one law.

    What is played has a level and a slope of its own at each stroke; what most strokes have in common is the fall:
    at once down, smoothly back. Its law is the one that leaves the fewest levels untold.
    """
    around, courses, heard, since = _courses(_levels(stem), strokes)
    if len(courses) < _FEWEST:
        return _STILL
    own = _without_own(around, heard)
    levels = own(courses)
    least = still = _untold(levels, heard)
    found, together = _STILL, 0.0
    for shape, release_s, law in _laws():
        fall = own(-law(since))
        weights = np.einsum("st,st->s", fall, fall)
        each = np.einsum("st,st->s", fall, levels) / np.maximum(weights, 1e-9)
        depth_db = _most_common(each, weights)
        untold = _untold(levels - depth_db * fall, heard)
        if untold < least and depth_db > 0:
            found, least = Pumping(depth_db, release_s, shape, 1.0), untold
            together = float(weights[each > depth_db / 2].sum() / weights.sum())
    confidence = (
        smoothly(1 - least / max(still, 1e-9), _UNLIKE, _LIKE)
        * smoothly(together, _SOME, _MOST)
        * smoothly(found.depth_db, _SLIGHT_DB, _PLAIN_DB)
        * smoothly(len(courses), _FEWEST, _ENOUGH)
    )
    return Pumping(found.depth_db, found.release_s, found.shape, confidence)


def _laws() -> Iterator[tuple[Shape, float, Law]]:
    """What is left of the fall so many seconds behind a stroke, 1 at once, 1/e in release_s."""
    for release_s in _RELEASES_S.tolist():
        if release_s <= _LONGEST_EXPONENTIAL_S:
            yield "exponential", release_s, partial(_exponential, release_s)
        yield "linear", release_s, partial(_linear, release_s / (1 - float(np.exp(-1))))


def _exponential(release_s: float, since: Floats) -> Floats:
    return np.asarray(np.exp(-since / release_s), np.float64)


def _linear(whole_s: float, since: Floats) -> Floats:
    return np.asarray(np.maximum(0, 1 - since / whole_s), np.float64)


def _levels(stem: Recording) -> Floats:
    """(frames,): in dB, one each 10 ms, the first centred on the first sample."""
    frame, hop = round(_FRAME_S * _RATE), round(_HOP_S * _RATE)
    window = np.hanning(frame + 1)[:-1]
    window /= window.sum()
    parts = [
        10 * np.log10(np.square(frames) @ window + 1e-12)
        for frames in overlapping_frames(mono_blocks(stem, _RATE), frame, hop)
    ]
    return np.asarray(np.concatenate([*parts, np.zeros(0)]), np.float64)


def _courses(levels: Floats, strokes: Seconds) -> tuple[Floats, Floats, Mask, Floats]:
    """Times around a stroke in s, (times,), and (strokes, times) each: levels there, whether they are heard, and
    the time since the last stroke. Heard is what lies between the strokes before and behind, until a note begins or
    ends; strokes with little of it are left out."""
    around = np.arange(-round(_BEFORE_S / _HOP_S), round(_LONGEST_S / _HOP_S))
    around = around[np.abs(around) * _HOP_S > _FRAME_S / 2]  # frames that hear the fall itself are neither
    seconds = np.asarray(around * _HOP_S, np.float64)
    apart = np.diff(strokes)
    before = np.concatenate([np.full(min(1, len(strokes)), np.inf), apart])[:, None]
    behind = np.append(apart, np.full(min(1, len(strokes)), np.inf))[:, None]
    at = np.round(strokes / _HOP_S).astype(int)[:, None] + around
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
    return seconds, courses[enough], heard[enough], since[enough]


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
