"""What bars are like, and which of them are like which: who plays and how loudly, timbre, harmony."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Likeness = npt.NDArray[np.float32]
"""Shaped (bars, lags): how alike a bar and the one so many before it are, 0 to 1; lags from 1 to MOST_BARS. 0 where
there is no bar."""

MOST_BARS = 512
"""How far back a repetition is looked for: 17 minutes of 4/4 at 120 BPM. Memory is linear so."""

PARTS = 8
"""Of a bar, in which its levels are heard."""

_LEVEL_WEIGHT, _TIMBRE_WEIGHT = 1.18, 0.39
_RANGE_DB = 27.0  # under a stem's loud bars: it rests
_APART = 0.15  # squared distance of bars' features at which they are alike by 1/e


@dataclass(frozen=True)
class Bars:
    """What each bar is like. levels_db: (bars, stems); parts_db: (bars, 8, stems), of its eighth parts; timbre:
    (bars, bands) in dB; harmony: (bars, slots, 12), what sounds in each part of the bar, by pitch class from C, of
    length 1 or 0."""

    levels_db: Floats
    parts_db: Floats
    timbre: Floats
    harmony: Floats

    def __len__(self) -> int:
        return len(self.levels_db)

    def levels(self) -> Floats:
        """(bars, stems): against a stem's own loud bars, −1 where it rests, about 0 where it is loud."""
        return self._against_loud(self.levels_db)

    def parts(self) -> Floats:
        """(bars, 8, stems): the same of the parts of bars."""
        return self._against_loud(self.parts_db)

    def tone(self) -> Floats:
        """(bars, bands): timbre, against that of the track, to one scale."""
        timbre = np.maximum(self.timbre, self.timbre.max(initial=-np.inf) - 60.0)
        timbre = timbre - timbre.mean(axis=0)
        return np.asarray(timbre / max(float(timbre.std()), 3.0) / np.sqrt(timbre.shape[1]), np.float64)

    def _against_loud(self, levels_db: Floats) -> Floats:
        loud = np.percentile(self.levels_db, 90, axis=0)
        return np.asarray(np.clip(levels_db - loud, -_RANGE_DB, 6.0) / _RANGE_DB, np.float64)


def likeness_of(bars: Bars) -> Likeness:
    """How alike a bar and those before it are: what sounds in them, and what harmony."""
    likeness = harmony_likeness_of(bars)
    if not len(bars):
        return likeness
    features = np.concatenate([_LEVEL_WEIGHT * bars.levels(), _TIMBRE_WEIGHT * bars.tone()], axis=1)
    for lag in range(1, likeness.shape[1] + 1):
        apart = np.square(features[lag:] - features[:-lag]).sum(axis=1)
        likeness[lag:, lag - 1] *= np.exp(-apart / _APART)
    return likeness


def harmony_likeness_of(bars: Bars) -> Likeness:
    """How alike a bar and those before it are in harmony alone."""
    count = len(bars)
    flat = bars.harmony.reshape(count, int(np.prod(bars.harmony.shape[1:])))
    flat = flat / np.sqrt(np.maximum(np.square(flat).sum(axis=1, keepdims=True), 1e-9))
    likeness: Likeness = np.zeros((count, min(MOST_BARS, max(0, count - 1))), np.float32)
    for lag in range(1, likeness.shape[1] + 1):
        likeness[lag:, lag - 1] = np.clip((flat[lag:] * flat[:-lag]).sum(axis=1), 0, 1)
    return likeness
