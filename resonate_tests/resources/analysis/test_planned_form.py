"""The form of a planned track is its plan's."""

from __future__ import annotations

import numpy as np

from resonate_resources.analysis.form import Part
from resonate_resources.analysis.planned_form import PlannedSection, planned_form

BARS_S = np.arange(0.0, 18.0, 2.0)  # eight bars of 2 s, and their end


def test_sections_begin_on_the_bars_that_were_planned() -> None:
    sections = [
        PlannedSection(0.0, "A", "intro"),
        PlannedSection(4.0, "B", "pre_chorus"),
        PlannedSection(12.0, "A", "outro"),
    ]
    parts, names = planned_form(sections, BARS_S)
    assert parts == [Part(0, 2, "A", 1.0), Part(2, 6, "B", 1.0), Part(6, 8, "A", 1.0)]
    assert names == ["intro", "pre_chorus", "outro"]


def test_a_section_shorter_than_a_bar_of_another_tempo_gives_way_to_the_next() -> None:
    sections = [
        PlannedSection(0.0, "A", "verse"),
        PlannedSection(7.6, "B", "build"),
        PlannedSection(8.4, "C", "drop"),
    ]
    parts, names = planned_form(sections, BARS_S)
    assert parts == [Part(0, 4, "A", 1.0), Part(4, 8, "C", 1.0)]
    assert names == ["verse", "drop"]
