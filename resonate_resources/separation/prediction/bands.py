"""Ratios and bands that all telltales are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.passage import BIN_HZ, BINS, Floats

BAND_EDGES_HZ = (20, 100, 200, 400, 800, 1600, 3200, 6400)
"""Octaves, and what lies above."""
EDGES = [int(hz / BIN_HZ) for hz in BAND_EDGES_HZ]
WIDTHS = np.diff([*EDGES, BINS])
TINY = 1e-20


def banded(values: npt.NDArray[np.float32] | Floats) -> Floats:
    """Sums over the bins of each band: (…, BINS) → (…, bands)."""
    sums: Floats = np.add.reduceat(values, EDGES, axis=-1, dtype=np.float64)
    return sums


def db(ratio: float | Floats, low: float = -50, high: float = 50) -> Floats:
    """Decibels of power ratios, limited; of nothing or less, `low`."""
    level: Floats = np.clip(10 * np.log10(np.maximum(np.asarray(ratio, np.float64), TINY)), low, high)
    return level


def apart(pairs: Floats, diagonal: float) -> Floats:
    """Pairs (…, stems, stems), those of a stem with itself replaced by a value."""
    pairs = pairs.copy()
    index = np.arange(pairs.shape[-1])
    pairs[..., index, index] = diagonal
    return pairs
