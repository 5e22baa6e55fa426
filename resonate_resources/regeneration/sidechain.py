"""A stem that goes down at each kick, as the original was heard to.

Notes that were cut from the original bring the fall of the moment that they were cut from. The original plays the
same notes at the same time, so that its levels less those of what is played tell what lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.pumping import HOP_S, Pumping, levels_db

Floats = npt.NDArray[np.float64]

_LEAST_DB: Final = 1.0  # less is no side-chain that anybody hears
_ATTACK_S: Final = 0.003
_RANGE_DB: Final = 40.0  # what is further under a stem's loud parts is a rest
_FROM_S, _TO_S = 0.02, 0.5  # behind a stroke; levels are of 30 ms


@dataclass(frozen=True)
class Sidechain:
    """fall: how far and by which law. strokes_s: of the kick, rising, further apart than the 3 ms in which a stem
    goes down."""

    fall: Pumping
    strokes_s: Seconds
    sample_rate: int

    @classmethod
    def lacking(
        cls, heard: Pumping, original: Recording, played: Recording, strokes_s: Seconds
    ) -> Sidechain | None:
        """What is to be added so that what is played falls as far as the original, in which the fall was surely
        heard. None where less than three strokes of four lack 1 dB. Both recordings are of one length."""
        most_lack_db, lacking_db = _lacking_db(heard, levels_db(original), levels_db(played), strokes_s)
        if most_lack_db < _LEAST_DB:
            return None
        depth_db = min(heard.depth_db, lacking_db)
        return cls(replace(heard, depth_db=depth_db), strokes_s, played.sample_rate)

    def applied(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream, of any number of channels; of the same length."""
        at = 0
        for block in blocks:
            seconds = np.arange(at, at + block.shape[1]) / self.sample_rate
            at += block.shape[1]
            yield block * (10 ** (-self.fall.depth_db / 20 * self._fallen(seconds))).astype(np.float32)

    def _fallen(self, seconds: Floats) -> Floats:
        """The part of the fall that is in force then, 0 to 1. A stroke before the stem has come back starts from
        where the stem is."""
        last = np.searchsorted(self.strokes_s, seconds, side="right")
        strokes = np.concatenate([[-np.inf, -np.inf], self.strokes_s])
        since, before = seconds - strokes[last + 1], seconds - strokes[last]
        coming = self.fall.left(np.maximum(since - _ATTACK_S, 0))
        going = np.maximum(since / _ATTACK_S, self.fall.left(np.maximum(before - _ATTACK_S, 0)))
        return np.where(since < _ATTACK_S, going, coming)


def _lacking_db(heard: Pumping, wanted: Floats, had: Floats, strokes_s: Seconds) -> tuple[float, float]:
    """What three strokes of four lack at least, and the median. Each tells by least squares, its own level aside,
    and counts by how much of the fall is heard."""
    seconds = np.arange(len(wanted)) * HOP_S
    last = np.searchsorted(strokes_s, seconds, side="right") - 1
    since = seconds - np.append(strokes_s, -np.inf)[last]
    looked = (since > _FROM_S) & (since < _TO_S)
    for levels in (wanted, had):
        looked &= levels > np.percentile(levels, 95) - _RANGE_DB
    if not looked.any():
        return 0.0, 0.0
    stroke, more, fall = last[looked], (had - wanted)[looked], heard.left(since[looked])
    count = np.maximum(np.bincount(stroke), 1)
    more -= (np.bincount(stroke, more) / count)[stroke]
    fall -= (np.bincount(stroke, fall) / count)[stroke]
    weight, told = np.bincount(stroke, fall**2), np.bincount(stroke, more * fall)
    depths = told / np.maximum(weight, 1e-9)
    order = np.argsort(depths)
    below = np.cumsum(weight[order])
    quarter, half = np.searchsorted(below, below[-1] * np.array([0.25, 0.5]))
    return float(depths[order][quarter]), float(depths[order][half])
