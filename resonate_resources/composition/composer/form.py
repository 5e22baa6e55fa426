"""Sections laid out one after the other, and what is asked of each."""

from __future__ import annotations

from typing import NamedTuple

from resonate_resources.composition.plan import BEATS_A_BAR, PlannedSection
from resonate_resources.composition.request import Request, SectionName

PHRASE_BARS = 4


class Laid(NamedTuple):
    """A section in its place. nth: how many of its name came before. onset, end: in quarters."""

    name: SectionName
    first_bar: int
    bars: int
    energy: float
    nth: int
    onset: float
    end: float

    def phrase_of(self, bar: int) -> tuple[int, int]:
        """Which phrase a bar of the section is in, and which bar of it it is."""
        return bar // PHRASE_BARS, bar % PHRASE_BARS

    @property
    def as_planned(self) -> PlannedSection:
        return PlannedSection(name=self.name, first_bar=self.first_bar, bars=self.bars, energy=self.energy)


def laid_out(request: Request) -> tuple[Laid, ...]:
    bar_quarters = BEATS_A_BAR[request.metre]
    laid: list[Laid] = []
    for section in request.structure:
        first = laid[-1].first_bar + laid[-1].bars if laid else 0
        nth = sum(other.name == section.name for other in laid)
        onset, end = first * bar_quarters, (first + section.bars) * bar_quarters
        laid.append(Laid(section.name, first, section.bars, section.energy, nth, onset, end))
    return tuple(laid)
