"""Clipping: tops that are cut flat."""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Samples

_EQUAL = 1 / 65_536  # half a step of 16 bits
_FEWEST = 3  # samples in a row
_EDGE = 16 / 32_768  # a rounded top of a low tone falls off by less beside what looks flat
_LOUD = 0.1  # quieter than that nobody clips
_CELLS = 400  # of levels, a twentieth of a dB each, from full scale down; above it, the first
_NEAR = 4  # cells


class FlatTopMeter:
    """Of audio given block by block: how often a channel stays at its highest level for three samples and more, and
    leaves it with a corner. State: two samples short of a block's end are not seen."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CELLS, np.int64)
        self._highest = 0.0

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        self._highest = max(self._highest, float(np.abs(block).max(initial=0.0)))
        for channel in block:
            level = np.abs(channel)
            flat = (np.abs(np.diff(channel)) <= _EQUAL) & (level[1:] > _LOUD)
            edges = np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8))
            starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
            long = (ends - starts >= _FEWEST - 1) & (starts > 0) & (ends < len(channel) - 1)
            starts, ends = starts[long], ends[long]
            top = level[starts]
            corner = np.maximum(top - level[starts - 1], top - level[ends + 1]) > _EDGE
            cells = (-20 * np.log10(np.minimum(top[corner], 1.0)) * 20).astype(int)
            self._counts += np.bincount(cells.clip(0, _CELLS - 1), minlength=_CELLS)

    def count(self) -> int:
        """Flat tops within a fifth of a dB of the highest sample."""
        if self._highest <= _LOUD:
            return 0
        cell = int(-20 * np.log10(min(self._highest, 1.0)) * 20)
        return int(self._counts[cell : cell + _NEAR + 1].sum())
