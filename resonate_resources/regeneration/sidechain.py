"""A stem that goes down at each kick, as the original was heard to.

Notes that were cut from the original bring the fall of the moment that they were cut from: what is played is heard
as the original was, and only what it lacks is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.pumping import Pumping, hear_pumping

Floats = npt.NDArray[np.float64]

_SURE: Final = 0.5  # confidence from which on pumping is taken for one
_LEAST_DB: Final = 1.0  # less is no side-chain that anybody hears
_ATTACK_S: Final = 0.003


@dataclass(frozen=True)
class Sidechain:
    """fall: how far and by which law. strokes_s: of the kick, rising, further apart than the 3 ms in which a stem
    goes down."""

    fall: Pumping
    strokes_s: Seconds
    sample_rate: int

    @classmethod
    def lacking(cls, heard: Pumping, played: Recording, strokes_s: Seconds) -> Sidechain | None:
        """What is to be added so that what is played falls as far as was heard in the original. None where that
        is not sure, or lacks less than 1 dB."""
        if heard.confidence < _SURE or heard.depth_db < _LEAST_DB:
            return None
        own = hear_pumping(played, strokes_s)
        lacking_db = heard.depth_db - own.depth_db * own.confidence
        if lacking_db < _LEAST_DB:
            return None
        return cls(replace(heard, depth_db=lacking_db), strokes_s, played.sample_rate)

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
