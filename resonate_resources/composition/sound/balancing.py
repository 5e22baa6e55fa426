"""The mix towards another recording's balance of octaves and width, within bounds, by filters that all parts share:
what sums to the mix still does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.request import Balance
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.linear_phase import Taps, convolved, linear_phase
from resonate_resources.signal.octaves import OctaveMeter

Floats = npt.NDArray[np.float64]

MOST_TONE_DB: Final = 6.0
"""The most that an octave is raised or lowered against the others."""
MOST_WIDTH_DB: Final = 6.0
"""The most that the side is raised or lowered against the middle."""
_WIDEST_DB: Final = -3.0  # side against middle, beyond which the sum of the channels suffers
_FAINT_DB: Final = -40.0  # under the loudest octave: a gap or a cut, and no balance
_MONO_DB: Final = -40.0


class BalanceMeter:
    """Is given the sum of all parts block by block; then tells what brings it towards a balance."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._octaves = OctaveMeter(rate, 2)
        self._mid = self._side = 0.0

    def update(self, block: Samples) -> None:
        """Take the next (2, frames)."""
        self._octaves.update(block)
        sound = block.astype(np.float64)
        self._mid += float(np.sum(np.square(sound[0] + sound[1])))
        self._side += float(np.sum(np.square(sound[0] - sound[1])))

    def towards(self, wanted: Balance) -> Correction:
        own_db = 10 * np.log10(np.maximum(self._octaves.levels(), 1e-14))
        gains = _gains_db(own_db, np.array(wanted.octaves_db, np.float64))
        return Correction(
            linear_phase(gains.tolist(), self._rate), 10 ** (self._width_db(wanted.side_db) / 20)
        )

    def _width_db(self, wanted_db: float | None) -> float:
        if wanted_db is None or self._side <= 10 ** (_MONO_DB / 10) * self._mid:
            return 0.0
        own_db = 10 * math.log10(self._side / self._mid) if self._mid else 0.0
        off = min(wanted_db, max(own_db, _WIDEST_DB)) - own_db
        return max(-MOST_WIDTH_DB, min(MOST_WIDTH_DB, off))


def _gains_db(own_db: Floats, wanted_db: Floats) -> Floats:
    """By octave. Of octaves that one of both hardly has, nothing can be learnt: they move as their neighbours."""
    told = (own_db > own_db.max() + _FAINT_DB) & (wanted_db > wanted_db.max() + _FAINT_DB)
    if told.sum() < 2:
        return np.zeros(len(own_db))
    places = np.arange(len(own_db))
    off = np.interp(places, places[told], (wanted_db - own_db)[told])
    weights = 10 ** (own_db / 10)
    middle = float(off[told] @ weights[told] / weights[told].sum())  # so that the loudest stay where they are
    return np.asarray((off - middle).clip(-MOST_TONE_DB, MOST_TONE_DB), np.float64)


@dataclass(frozen=True)
class Correction:
    """taps: of both channels. width: factor of the side."""

    taps: Taps
    width: float

    def of(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream, of the same length, without latency."""
        for block in convolved(blocks, [self.taps] * 2):
            mid = (block[0] + block[1]) / 2
            side = (block[0] - block[1]) * np.float32(self.width / 2)
            yield np.stack([mid + side, mid - side])
