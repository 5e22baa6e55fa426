"""How loud each stem is over time: what arrangement and envelopes are read off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Recording, Stems, silent

RATE = 100
"""Hz: a level each 10 ms."""

SILENCE_DB = -100.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class StemLevels:
    """mean_square: name → (frames,), power of a stem in each 10 ms, mean of its channels, full scale 1. 1.4 MB an
    hour and stem."""

    mean_square: dict[str, npt.NDArray[np.float32]]

    def in_spans(self, edges_s: Floats) -> Floats:
        """(spans, stems): levels in dB between each edge and the next, in seconds, rising; ≥ −100."""
        at = np.round(edges_s * RATE).astype(int)
        columns = []
        for power in self.mean_square.values():
            sums = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
            inside = at.clip(0, len(power))
            length = np.maximum(np.diff(inside), 1)
            columns.append(np.diff(sums[inside]) / length)
        return in_db(np.stack(columns, axis=1))


def in_db(mean_square: npt.NDArray[np.floating]) -> Floats:
    """≥ −100."""
    return np.asarray(10 * np.log10(np.maximum(mean_square, 10 ** (SILENCE_DB / 10))), np.float64)


def stem_levels(stems: Stems, progress: Progress = silent) -> StemLevels:
    """Each stem is read once."""
    found = {}
    for number, (name, stem) in enumerate(stems.items()):
        found[name] = _mean_squares(stem)
        progress((number + 1) / len(stems))
    return StemLevels(found)


def _mean_squares(stem: Recording) -> npt.NDArray[np.float32]:
    count = -(-stem.frames * RATE // stem.sample_rate)
    sums = np.zeros(count)
    frames = np.zeros(count)
    start = 0
    for block in stem.blocks():
        power = np.square(block, dtype=np.float64).mean(axis=0)
        # Rates that 100 does not divide: each sample counts to the 10 ms that it lies in.
        at = np.arange(start, start + len(power)) * RATE // stem.sample_rate
        first = int(at[0])
        inside = np.bincount(at - first, weights=power)
        sums[first : first + len(inside)] += inside
        frames[first : first + len(inside)] += np.bincount(at - first)
        start += len(power)
    return np.asarray(sums / np.maximum(frames, 1), np.float32)
