"""The form of a track: where sections begin, on downbeats, and which of them are the same.

What a bar sounds like is compared with other bars: who plays and how loudly, its timbre, its harmony. A section
begins where the bars before differ from those that follow (novelty, as Foote, "Automatic audio segmentation", ICME
2000, by Fisher's criterion), and where what repeats changes (Serrà et al., "Unsupervised detection of music
boundaries by time series structure features", AAAI 2012).
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Likeness = npt.NDArray[np.float32]
"""Shaped (bars, lags): how alike a bar and the one so many before it are, 0 to 1; lags from 1 to MOST_BARS. 0 where
there is no bar."""

MOST_BARS = 512
"""How far back a repetition is looked for: 17 minutes of 4/4 at 120 BPM. Memory is linear so."""

_SIDES = (2, 4, 8)  # bars that are compared on either side
_REPEATS = 5  # bars that a repetition is heard over
_LEVEL_WEIGHT, _TIMBRE_WEIGHT = 1.18, 0.39
_RANGE_DB = 27.0  # under a stem's loud bars: it rests
_NOVELTY_WEIGHT, _REPETITION_WEIGHT = 0.43, 0.63
_PENALTY = 1.18  # for a section to be worth it
_LENGTHS = {4: 0.25, 8: 0.5, 12: 0.2, 16: 0.4, 6: 0.1, 2: -0.4, 1: -1.5, 3: -0.6}
"""Bars of a section → how welcome it is; others 0 where even, −0.3 where odd."""
_LONGEST = 32
_SAME = 0.46
_APART = 0.15  # squared distance of bars' features at which they are alike by 1/e


@dataclass(frozen=True)
class Bars:
    """What each bar is like. levels_db: (bars, stems); timbre: (bars, bands) in dB; harmony: (bars, slots, 12),
    what sounds in each part of the bar, by pitch class from C, of length 1 or 0."""

    levels_db: Floats
    timbre: Floats
    harmony: Floats

    def __len__(self) -> int:
        return len(self.levels_db)


@dataclass(frozen=True)
class Part:
    """Bars from start up to end; parts of one letter are the same. confidence: 0 to 1, that it begins there."""

    start: int
    end: int
    letter: str
    confidence: float


def find_form(bars: Bars, likeness: Likeness) -> list[Part]:
    """Parts from the first to the last bar, without gaps; none of no bars. likeness: of `likeness_of`."""
    if not len(bars):
        return []
    features = _features(bars)
    novelty = _novelty(features) * _NOVELTY_WEIGHT + _structure(likeness) * _REPETITION_WEIGHT
    starts = _best_starts(novelty)
    edges = [*starts, len(bars)]
    letters = _letters(likeness, edges)
    sure = 1 / (1 + np.exp(-2.0 * (novelty - _PENALTY)))
    return [
        Part(start, end, letter, 1.0 if start == 0 else float(sure[start]))
        for start, end, letter in zip(edges[:-1], edges[1:], letters, strict=True)
    ]


def _features(bars: Bars) -> Floats:
    """(bars, features): levels and timbre, to one scale."""
    loud = np.percentile(bars.levels_db, 90, axis=0)
    levels = np.clip(bars.levels_db - loud, -_RANGE_DB, 3.0) / _RANGE_DB
    timbre = np.maximum(bars.timbre, bars.timbre.max(initial=-np.inf) - 60.0)
    timbre = timbre - timbre.mean(axis=0)
    timbre = timbre / max(float(timbre.std()), 3.0) / np.sqrt(timbre.shape[1])
    return np.concatenate([_LEVEL_WEIGHT * levels, _TIMBRE_WEIGHT * timbre], axis=1)


def likeness_of(bars: Bars) -> Likeness:
    """How alike a bar and those before it are: what sounds in them, and what harmony."""
    count = len(bars)
    if not count:
        return np.zeros((0, 0), np.float32)
    features = _features(bars)
    flat = bars.harmony.reshape(count, -1)
    full = np.sqrt(np.maximum(np.square(flat).sum(axis=1), 1e-9))
    likeness: Likeness = np.zeros((count, min(MOST_BARS, max(0, count - 1))), np.float32)
    for lag in range(1, likeness.shape[1] + 1):
        harmony = (flat[lag:] * flat[:-lag]).sum(axis=1) / (full[lag:] * full[:-lag])
        apart = np.square(features[lag:] - features[:-lag]).sum(axis=1)
        likeness[lag:, lag - 1] = np.clip(harmony, 0, 1) * np.exp(-apart / _APART)
    return likeness


def _novelty(features: Floats) -> Floats:
    """(bars,): how much a bar and those that follow differ from those before, about 1 where a section begins."""
    found = np.zeros(len(features))
    for side in _SIDES:
        for bar in range(1, len(features)):
            before, behind = features[max(0, bar - side) : bar], features[bar : bar + side]
            between = np.linalg.norm(before.mean(axis=0) - behind.mean(axis=0))
            within = np.sqrt((before.var(axis=0).sum() + behind.var(axis=0).sum()) / 2)
            found[bar] += between / (within + 0.12)
    return found / len(_SIDES)


def _structure(likeness: Likeness) -> Floats:
    """(bars,): how much what repeats changes with a bar; about 1 where a repetition begins or ends."""
    count = len(likeness)
    found = np.zeros(count)
    if count < 4:
        return found
    sums = np.concatenate([np.zeros((1, likeness.shape[1])), np.cumsum(likeness, axis=0, dtype=np.float64)])
    for bar in range(2, count - 1):
        side = min(_REPEATS // 2, bar, count - bar)
        found[bar] = np.linalg.norm(sums[bar + side] - 2 * sums[bar] + sums[bar - side]) / side
    return np.asarray(found / max(float(np.percentile(found, 95)), 0.3), np.float64)


def _best_starts(novelty: Floats) -> list[int]:
    """The bars at which parts begin, by dynamic programming over their lengths."""
    count = len(novelty)
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    came = np.zeros(count + 1, np.intp)
    for end in range(1, count + 1):
        gain = novelty[end] - _PENALTY if end < count else 0.0
        for length in range(1, min(end, _LONGEST) + 1):
            welcome = _LENGTHS.get(length, 0.0 if length % 2 == 0 else -0.3)
            if end in (count, length):
                welcome = max(welcome, -0.3)  # pieces begin and end in the midst of things
            value = best[end - length] + gain + welcome
            if value > best[end]:
                best[end], came[end] = value, end - length
    starts = []
    at = count
    while at > 0:
        at = int(came[at])
        starts.append(at)
    return starts[::-1]


def _letters(likeness: Likeness, edges: list[int]) -> list[str]:
    """A, B, … in order of appearance: a part whose bars are like those of an earlier one has its letter."""
    letters: list[str] = []
    for number, (start, end) in enumerate(pairwise(edges)):
        known: dict[str, float] = {}
        for earlier in range(number):
            other, other_end = edges[earlier], edges[earlier + 1]
            lag, both = start - other, min(end - start, other_end - other)
            if lag > likeness.shape[1]:
                continue
            alike = float(likeness[start : start + both, lag - 1].mean())
            alike *= 0.7 + 0.3 * both / max(end - start, other_end - other)
            known[letters[earlier]] = max(alike, known.get(letters[earlier], 0.0))
        best = max(known, key=lambda letter: known[letter], default="")
        new = letter_of(len(set(letters)))
        letters.append(best if best and known[best] >= _SAME else new)
    return letters


def letter_of(number: int) -> str:
    """A to Z, then A1 to Z1, and so on."""
    turn, letter = divmod(number, 26)
    return string.ascii_uppercase[letter] + (str(turn) if turn else "")
