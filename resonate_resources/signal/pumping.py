"""Whether music pumps: its bass and chords go down whenever the kick sounds, and come back between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.smoothly import smoothly

Floats = npt.NDArray[np.float64]

_RATE = 8000  # Hz
_HOP_S, _FRAME_S = 0.01, 0.03
_BEFORE_S, _LONGEST_S = 0.06, 0.6  # of what is looked at around a stroke
_SHORTEST_S = 0.3  # between strokes: closer ones leave too little to tell a shape by
_RELEASES_S = 0.02 * 1.12 ** np.arange(28)  # 0.02 to 0.45
_AUDIBLE_DB = 40.0  # what is further under the stem's loud parts is a rest
_FEWEST, _ENOUGH = 8.0, 16.0  # strokes
_SLIGHT_DB, _PLAIN_DB = 1.0, 2.5
_UNLIKE, _LIKE = 0.75, 0.92  # part of the mean course around strokes that the model explains
_SOME, _MOST = 0.6, 0.85  # of the strokes that a fall comes with
_SPARE_S = 0.01


@dataclass(frozen=True)
class Pumping:
    """Of one stem. depth_db: how far it falls at a stroke; release_s: in which the fall goes back to 1/e;
    confidence: 0 to 1, that this is pumping and not how the music is played."""

    depth_db: float
    release_s: float
    confidence: float


_STILL = Pumping(0.0, 0.1, 0.0)


def hear_pumping(stem: Recording, strokes: Seconds) -> Pumping:
    """Compare the stem's level in dB around each stroke, in s, rising, with a fall that goes back exponentially.

    What is played has a level and a slope of its own at each stroke; what all strokes have in common is the mean
    course, which pumping explains: at once down, smoothly back, at every one of them.
    """
    levels = _levels(stem)
    around, courses = _courses(levels, strokes)
    if len(courses) < _FEWEST:
        return _STILL
    mean = np.median(courses - courses.mean(axis=1, keepdims=True), axis=0)
    apart = float(np.median(np.diff(strokes)))
    best = _STILL, -np.inf, np.zeros(0)
    plain = np.stack([np.ones(len(around)), around], axis=1)
    for release_s in _RELEASES_S:
        model = _fall(around, float(release_s), apart)
        fit, *_ = np.linalg.lstsq(np.column_stack([plain, -model]), mean, rcond=None)
        left = mean - np.column_stack([plain, -model]) @ fit
        without, *_ = np.linalg.lstsq(plain, mean, rcond=None)
        explained = 1 - np.sum(left**2) / max(float(np.sum((mean - plain @ without) ** 2)), 1e-9)
        if explained > best[1]:
            best = Pumping(float(fit[2]), float(release_s), 1.0), float(explained), model
    found, explained, model = best
    if found.depth_db <= 0:
        return _STILL
    design = np.column_stack([plain, -model])
    each = np.linalg.lstsq(design, courses.T, rcond=None)[0][2]
    together = float(np.mean(each > found.depth_db / 2))
    confidence = (
        smoothly(explained, _UNLIKE, _LIKE)
        * smoothly(together, _SOME, _MOST)
        * smoothly(found.depth_db, _SLIGHT_DB, _PLAIN_DB)
        * smoothly(len(courses), _FEWEST, _ENOUGH)
    )
    return Pumping(found.depth_db, found.release_s, confidence)


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


def _courses(levels: Floats, strokes: Seconds) -> tuple[Floats, Floats]:
    """Times around a stroke in s, (times,), and the levels there, (strokes, times): of strokes that have the time
    before the next one, in which the stem sounds."""
    none = np.zeros(0), np.zeros((0, 0))
    if len(strokes) < 2 or not len(levels):
        return none
    apart = np.diff(strokes)
    usual = float(np.median(apart))
    behind_s = min(usual - _BEFORE_S, _LONGEST_S)
    if usual < _SHORTEST_S:
        return none
    around = np.arange(-round(_BEFORE_S / _HOP_S), round(behind_s / _HOP_S))
    around = around[np.abs(around) * _HOP_S > _FRAME_S / 2]  # frames that hear the fall itself are neither
    free = np.append(apart >= behind_s + _BEFORE_S - _SPARE_S, True)
    at = np.round(strokes[free] / _HOP_S).astype(int)
    at = at[(at + around[0] >= 0) & (at + around[-1] < len(levels))]
    if not len(at):
        return none
    courses = levels[at[:, None] + around]
    audible = np.percentile(levels, 95) - _AUDIBLE_DB
    return np.asarray(around * _HOP_S, np.float64), courses[courses.min(axis=1) > audible]


def _fall(around: Floats, release_s: float, apart: float) -> Floats:
    """1 at a stroke, back to 1/e in release_s; before it, what is left of the stroke before, apart s ago."""
    since = np.where(around < 0, around + apart, around)
    return np.asarray(np.exp(-since / release_s), np.float64)
