"""How loud music is above a cut, moment by moment, told from what lies below it.

A network of 37 inputs, two layers of 48 and 7 outputs. It hears, in twelve thirds of an octave below the cut, the
levels of the moment, how far they lie over those of the last 50 ms, and their means over the recording; and where
the cut is. It was fitted to composed songs and their stems, cut by filters of all slopes, by
`resonate_tests/benchmarks/fit_extension.py`; docs/measurements.md tells how near it comes on others.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.network import Network

Floats = npt.NDArray[np.float32]

BELOW, ABOVE = 12, 7
"""Thirds of an octave: four octaves below a cut are heard, and of a cut at 4 kHz the last one above ends at 20
kHz."""
SECONDS = 0.023
"""Length of a window: shorter than what the ear smears before an attack."""
RANGE_DB = 80.0
"""What lies further under the mean of what is below the cut counts as so low."""

_FILE = resources.files("resonate_resources.restoration") / "upper_envelope.npz"
_PAST = 9  # moments of 6 ms
SCALE_DB = 20.0


class Thirds:
    """Thirds of an octave about a cut, of spectra of so many lines: mean power of their lines in dB."""

    def __init__(self, cut_hz: float, sample_rate: int, lines: int) -> None:
        self.edges_hz = cut_hz * 2 ** (np.arange(-BELOW, ABOVE + 1) / 3)
        line_hz = sample_rate / 2 / (lines - 1)
        upper = (np.arange(lines)[:, None] + 0.5) * line_hz
        share = np.clip(
            np.minimum(upper, self.edges_hz[1:]) - np.maximum(upper - line_hz, self.edges_hz[:-1]), 0, None
        )
        self.there = share.sum(axis=0) >= 0.5 * np.diff(self.edges_hz)
        self._weights = (share / np.maximum(share.sum(axis=0), 1e-9)).astype(np.float32)

    def levels_db(self, power: npt.NDArray[np.floating]) -> Floats:
        """(…, lines) → (…, BELOW + ABOVE), −200 dB at least."""
        return np.asarray(
            10 * np.log10(power.astype(np.float32) @ self._weights + np.float32(1e-20)), np.float32
        )


def inputs(levels_db: Floats, past_db: Floats, mean_db: Floats, cut_hz: float) -> tuple[Floats, float]:
    """What the network hears of moments, (moments, 37), and the level in dB from which it counts.

    levels_db (moments, BELOW), past_db: the same over the last 50 ms, mean_db (BELOW,): of mean power over the
    whole.
    """
    reference = float(10 * np.log10(np.mean(10 ** (mean_db.astype(np.float64) / 10)) + 1e-20))
    now, past, mean = (
        np.maximum(each - reference, -RANGE_DB) / SCALE_DB for each in (levels_db, past_db, mean_db)
    )
    place = np.log2(cut_hz / 8000.0)
    rows = np.concatenate(
        [now, now - past, np.broadcast_to(np.append(mean, place), (len(now), BELOW + 1))], axis=1
    )
    return rows.astype(np.float32), reference


class Past:
    """Mean power of the moments before each, the last nine, over the borders of blocks."""

    def __init__(self, bands: int) -> None:
        self._held = np.zeros((_PAST, bands), np.float32)

    def levels_db(self, levels_db: Floats) -> Floats:
        power = np.concatenate([self._held, 10 ** (levels_db / 10)])
        self._held = power[-_PAST:]
        total = np.concatenate([np.zeros((1, power.shape[1])), power.cumsum(axis=0, dtype=np.float64)])
        mean = (total[_PAST:-1] - total[: -_PAST - 1]) / _PAST
        return np.asarray(10 * np.log10(np.maximum(mean, 1e-20)), np.float32)


def above_db(rows: Floats, reference_db: float) -> Floats:
    """(moments, ABOVE): level of the thirds above the cut, in the dB of `Thirds`."""
    return np.asarray(SCALE_DB * _network()(rows) + np.float32(reference_db), np.float32)


@cache
def _network() -> Network:
    return Network.read(_FILE)
