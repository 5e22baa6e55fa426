"""The form of a track that was planned: its plan's sections, on the bars at which they begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.form import Part

if TYPE_CHECKING:
    from resonate_resources.analysis.analysis import SectionName


@dataclass(frozen=True)
class PlannedSection:
    """Sections of one label are the same music."""

    start_s: float
    label: str
    name: SectionName


def planned_form(
    sections: Sequence[PlannedSection], edges: npt.NDArray[np.float64]
) -> tuple[list[Part], list[SectionName]]:
    """A part a section, and what it is called. sections: rising. edges: of bars, in seconds, with the last one's
    end; of sections that begin on one bar the last counts."""
    begun = {int(np.abs(edges[:-1] - section.start_s).argmin()): section for section in sections}
    starts = [0, *list(begun)[1:]]
    parts = [
        Part(start, end, section.label, 1.0)
        for section, start, end in zip(begun.values(), starts, [*starts[1:], len(edges) - 1], strict=True)
    ]
    return parts, [section.name for section in begun.values()]
