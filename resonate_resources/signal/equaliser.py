"""Filters of pedalboard, run block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from resonate_resources.recordings.recording import Samples

if TYPE_CHECKING:
    from pedalboard import Plugin

_SHORTEST_BLOCK = 64  # pedalboard takes the shorter side of an array for the channels


@dataclass(frozen=True)
class Band:
    """One filter: corner or centre in Hz; gain in dB, which a high pass has none of.

    A high pass is of first order (6 dB per octave), the others of second order, with Q = 0.71.
    """

    shape: Literal["high pass", "low shelf", "bell", "high shelf"]
    hertz: float
    gain_db: float = 0.0


class Equaliser:
    """Runs blocks through bands; those above half the sample rate are left out. No latency.

    State crosses blocks inside pedalboard.
    """

    def __init__(self, bands: Sequence[Band], sample_rate: int) -> None:
        from pedalboard._pedalboard import Pedalboard

        self._sample_rate = sample_rate
        self._board = Pedalboard([_plugin(band) for band in bands if band.hertz < sample_rate / 2])

    def process(self, block: Samples) -> Samples:
        """The next (channels, frames); all blocks but the last must have 64 frames or more."""
        frames = block.shape[1]
        samples = np.pad(block, ((0, 0), (0, max(0, _SHORTEST_BLOCK - frames))))
        filtered: Samples = self._board.process(samples, self._sample_rate, reset=False)
        return filtered[:, :frames]


def _plugin(band: Band) -> Plugin:
    import pedalboard

    match band.shape:
        case "high pass":
            return pedalboard.HighpassFilter(band.hertz)
        case "low shelf":
            return pedalboard.LowShelfFilter(band.hertz, band.gain_db)
        case "bell":
            return pedalboard.PeakFilter(band.hertz, band.gain_db)
        case "high shelf":
            return pedalboard.HighShelfFilter(band.hertz, band.gain_db)
