"""Grids as strokes in time."""

from __future__ import annotations

from typing import Final, NamedTuple

from resonate_resources.composition.composer.metre import in_metre
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.request import Metre

VELOCITY: Final = {"X": 110, "x": 90, "o": 50}


class Stroke(NamedTuple):
    """onset, length: in quarters from where the grid begins."""

    onset: float
    length: float
    letter: str

    @property
    def end(self) -> float:
        return self.onset + self.length


class Event(NamedTuple):
    """A note before swing and human unevenness, its velocity on a scale without bounds."""

    onset: float
    length: float
    pitch: int
    velocity: float

    @property
    def end(self) -> float:
        return self.onset + self.length


def strokes(grid: str, written: Metre, played: Metre, bars: int) -> list[Stroke]:
    """So many bars of a grid, repeated; "-" prolongs what it follows, over bar lines too."""
    written_bars = [in_metre(bar, written, played) for bar in grid.split()]
    bar_quarters = BEATS_A_BAR[played]
    found: list[Stroke] = []
    for number in range(bars):
        bar = written_bars[number % len(written_bars)]
        cell = bar_quarters / len(bar)
        for place, letter in enumerate(bar):
            onset = number * bar_quarters + place * cell
            if letter == "-" and found:
                found[-1] = found[-1]._replace(length=onset + cell - found[-1].onset)
            elif letter not in ".-":
                found.append(Stroke(onset, cell, letter))
    return found
