"""Plans as people may edit them: what can't be played is refused before anything is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resonate_resources.composition.plan import LARGEST_PLAN_BYTES, Plan
from resonate_resources.recordings.recording import AudioError
from resonate_tests.resources.composition.sound import plans

Edit = Callable[[dict[str, Any]], object]


def _note(place: int, value: float) -> Edit:
    return lambda plan: plan["parts"][0]["notes"][0].__setitem__(place, value)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda plan: plan.update(bpm=0), "bpm: should be greater"),
        (lambda plan: plan.update(bpm=-120), "bpm: should be greater"),
        (lambda plan: plan.update(bpm=float("nan")), "no JSON|bpm: should be a"),
        (lambda plan: plan.update(key="H sharp"), "key: 'H sharp' is no key"),
        (lambda plan: plan.update(sections=[]), "sections: has 0, and needs 1"),
        (lambda plan: plan["sections"][0].update(bars=-4), "sections.0.bars: should be greater"),
        (lambda plan: plan["sections"][1].update(bars=1000), "sections: together they last longer than 30"),
        (lambda plan: plan["sections"][1].update(first_bar=9), "sections: one begins at bar 9, not at 4"),
        (lambda plan: plan["chords"][0].update(pitches=[]), "chords.0.pitches: has 0, and needs 1"),
        (lambda plan: plan.update(parts=plan["parts"] * 10), "parts: has 70, and 64 is the most"),
        (
            lambda plan: plan["effects"][0].update(ends=0),
            "a riser at 8 lasts -8: the piece is of 32 quarters",
        ),
        (_note(0, -1), "parts.0.notes.0: should be greater"),
        (_note(0, 1e9), "a note of 'Drums' at 1e\\+09 lasts 0.25: the piece is of 32 quarters"),
        (_note(1, 1e9), "a note of 'Drums' at 0 lasts 1e\\+09"),
        (_note(2, 128), "parts.0.notes.0: should be less"),
    ],
)
def test_a_plan_that_can_not_be_played_is_refused_in_one_line(edit: Edit, told: str) -> None:
    written = json.loads(plans.house(8).model_dump_json())
    written["effects"][0]["begins"] = 8
    edit(written)
    with pytest.raises(AudioError, match=rf"\Aplan.json: is no plan \(({told})[^\n]*\)\Z"):
        Plan.parse(json.dumps(written), "plan.json")


def test_a_file_that_is_larger_than_any_plan_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    with file.open("wb") as written:
        written.truncate(LARGEST_PLAN_BYTES + 1)
    with pytest.raises(AudioError, match=r"plan\.json: is no plan \(it is larger than 16 MB"):
        Plan.read(file)
