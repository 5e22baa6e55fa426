"""Tempo maps: where every quarter note of a score lies in seconds, and how swing moves what is on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRID = 48
"""Points a quarter note at which tempo is known."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TempoMap:
    """seconds: (GRID · quarters + 1,), when each point of the grid sounds; swing: where in its quarter the second
    eighth lies, 0.5 is straight."""

    seconds: Floats
    swing: float = 0.5

    def at(self, quarter: float | Floats) -> Floats:
        """Seconds of a place in the score, in quarter notes from its start, without swing."""
        return np.asarray(np.interp(quarter, np.arange(len(self.seconds)) / GRID, self.seconds))

    def swung(self, quarter: float) -> float:
        """The same with swing: both halves of a quarter are stretched so that its middle is late."""
        whole, part = divmod(quarter, 1)
        return float(self.at(whole + np.interp(part, (0, 0.5, 1), (0, self.swing, 1))))


def tempo_map(quarter_bpm: Floats, lead_in_s: float, swing: float) -> TempoMap:
    """From the tempo in quarter notes a minute of every step of the grid."""
    steps = 60 / quarter_bpm / GRID
    return TempoMap(lead_in_s + np.concatenate(([0.0], np.cumsum(steps))), swing)


def drifting(rng: np.random.Generator, quarters: int, bpm: float, amount: float) -> Floats:
    """A tempo that wanders by about that part of itself, over some sixteen quarters: (GRID · quarters,)."""
    knots = rng.standard_normal(quarters // 16 + 3)
    wandering = np.interp(np.arange(GRID * quarters) / GRID / 16, np.arange(len(knots)), knots)
    return bpm * (1 + amount * np.clip(wandering, -2, 2))


def ramped(curve: Floats, start: int, end: int, factor: float) -> Floats:
    """Faster by factor from quarter end on, gradually from quarter start; at once where both are the same."""
    quarters = np.arange(len(curve)) / GRID
    if start == end:
        return curve * np.where(quarters >= start, factor, 1.0)
    return curve * factor ** np.clip((quarters - start) / (end - start), 0, 1)


def slowed_at_the_end(curve: Floats, quarters: int, factor: float) -> Floats:
    """A ritardando over the last quarters, down to that factor."""
    return ramped(curve, len(curve) // GRID - quarters, len(curve) // GRID, factor)


def median_bpm(beats: Sequence[float]) -> float:
    """Beats a minute of the usual beat."""
    return float(60 / np.median(np.diff(beats)))
