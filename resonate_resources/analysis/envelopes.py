"""How the notes of a stem begin, hold and end: attack, decay, sustain and release (ADSR).

Notes are found where the level rises; those that stand free are laid over each other, each against its own peak.
The median course is the envelope: what all notes have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.stem_levels import RATE, in_db
from resonate_resources.signal.onsets import find_onsets, onset_strength

_RISE_DB = 6.0
_BEFORE_S, _LONGEST_S = 0.1, 1.5
_APART_S = 0.12
_FEWEST = 8
_SHORTEST_NOTE = 8  # frames
_ENOUGH = 24
_HEARD_IN = 0.25  # of the notes: further on, too few are that long
_RANGE_DB = 30.0  # of notes, under the loudest
_STEADY_DB_S = 12.0  # what falls more slowly holds
_END_DB = 20.0  # under the sustained level: it has ended
_BELOW_HELD_DB, _LONGEST_RELEASE_S, _FEWEST_RELEASES = 6.0, 2.0, 4


@dataclass(frozen=True)
class Envelope:
    """attack_s: from 10 to 90 % of the peak's amplitude; decay_s: from the peak until the level holds, or to −20 dB
    where it never does; sustain_db: the level that is held, against the peak, None where none is; release_s: from
    the end of what is held to −20 dB under it, None where nothing is held. notes: that were heard. confidence: 0 to
    1."""

    attack_s: float
    decay_s: float
    sustain_db: float | None
    release_s: float | None
    notes: int
    confidence: float


def hear_envelope(mean_square: npt.NDArray[np.float32]) -> Envelope | None:
    """Of a stem's power each 10 ms. None where fewer than eight notes stand free."""
    levels = in_db(mean_square).astype(np.float32)
    if not len(levels) or levels.max() < -70:
        return None
    floor = float(levels.max()) - 2 * _RANGE_DB
    rise = onset_strength(levels[:, None], floor, gap=2, loudest_of=3)
    onsets = find_onsets(rise, _RISE_DB, round(_APART_S * RATE))
    courses = _courses(levels, onsets)
    if len(courses) < _FEWEST:
        return None
    known = np.isfinite(courses).mean(axis=0) >= _HEARD_IN
    course = np.nanmedian(courses[:, : len(known) if known.all() else int(known.argmin())], axis=0)
    scatter = float(np.nanmedian(np.nanstd(courses[:, : len(course)], axis=0)))
    before = round(_BEFORE_S * RATE)
    peak = before + int(course[before : before + RATE // 4].argmax()) if len(course) > before else 0
    if peak < before or len(course) < peak + 5:
        return None
    attack_s = _attack(course, peak)
    decay_s, sustain_db = _decay(course, peak)
    release_s = None if sustain_db is None else _release(levels, sustain_db)
    confidence = min(1.0, len(courses) / _ENOUGH) * float(np.exp(-((scatter / 8.0) ** 2)))
    return Envelope(attack_s, decay_s, sustain_db, release_s, len(courses), confidence)


def _courses(levels: npt.NDArray[np.float32], onsets: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """(notes, frames) in dB against each one's peak, NaN from the next onset on."""
    before, longest = round(_BEFORE_S * RATE), round(_LONGEST_S * RATE)
    rows, peaks = [], []
    until = np.append(onsets[1:], len(levels))
    for onset, end in zip(onsets.tolist(), until.tolist(), strict=True):
        stop = min(end - 2, onset + longest)
        if onset < before or stop - onset < _SHORTEST_NOTE:
            continue
        note = levels[onset - before : stop].astype(np.float64)
        peak = float(note[before : before + RATE // 4].max())
        row = np.full(before + longest, np.nan)
        row[: len(note)] = note - peak
        rows.append(row)
        peaks.append(peak)
    if not rows:
        return np.zeros((0, 0))
    return np.stack(rows)[np.array(peaks) > max(peaks) - _RANGE_DB]


def _attack(course: npt.NDArray[np.float64], peak: int) -> float:
    """From 10 to 90 % of the way in amplitude from the lowest level before the peak, linear between frames."""
    lowest = int(course[: peak + 1].argmin())
    rising = 10 ** (course[lowest : peak + 1] / 20)
    span = rising[-1] - rising[0]
    if span <= 0:
        return 0.0
    low, high = (_last_crossing(rising, rising[0] + part * span) for part in (0.1, 0.9))
    return max(0.0, (high - low) / RATE)


def _last_crossing(rising: npt.NDArray[np.float64], level: float) -> float:
    at = int(np.flatnonzero(rising <= level)[-1])
    return at + float((level - rising[at]) / (rising[at + 1] - rising[at]))


def _decay(course: npt.NDArray[np.float64], peak: int) -> tuple[float, float | None]:
    """Until the level holds, and the level held; where it never does, until −20 dB or the end, and None."""
    falling = course[peak:]
    span = RATE // 10
    gone = np.flatnonzero(falling < -_END_DB)
    ends_s = (float(gone[0]) if len(gone) else float(len(falling))) / RATE
    if len(falling) <= 2 * span:
        return ends_s, None
    slopes = (falling[span:] - falling[:-span]) * (RATE / span)
    steady = np.flatnonzero(np.abs(slopes) < _STEADY_DB_S)
    if not len(steady) or (len(gone) and gone[0] <= steady[0]):
        return ends_s, None
    at = int(steady[0])
    return at / RATE, float(falling[at : at + span].mean())


def _release(levels: npt.NDArray[np.float32], sustain_db: float) -> float | None:
    """The median of falls by 20 dB from the held level, without a rise between; None where there are under four."""
    held = float(np.percentile(levels, 90)) + min(0.0, sustain_db) - _BELOW_HELD_DB
    times = []
    for at in np.flatnonzero((levels[:-1] >= held) & (levels[1:] < held)).tolist():
        under = np.flatnonzero(levels[at : at + round(_LONGEST_RELEASE_S * RATE)] < levels[at] - _END_DB)
        if len(under) and (levels[at : at + int(under[0])] <= levels[at] + 1).all():
            times.append(int(under[0]) / RATE)
    return float(np.median(times)) if len(times) >= _FEWEST_RELEASES else None
