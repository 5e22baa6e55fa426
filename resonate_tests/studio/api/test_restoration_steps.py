"""Steps of a restoration as the API tells them, of the file that a stage wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.restoration.panel import AIMS
from resonate_resources.restoration.planning import LISTENED_FOR
from resonate_resources.restoration.resource import REPORT
from resonate_resources.restoration.restoring import Taken
from resonate_resources.restoration.step import StepName
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.store import LocalStore, new_directory
from resonate_studio.api.restoration_steps import notes_begin, steps_of


def artefact(tmp_path: Path, told: object) -> Artefact:
    artefacts = Artefacts(LocalStore(tmp_path))
    with new_directory(artefacts.store, "restored_track") as into:
        (into / REPORT).write_text(json.dumps(told))
        product = Product({REPORT: into / REPORT}, {}, ())
        recipe = Recipe(Engine("test"))
        return artefacts.keep(
            product, stage="restored_track", track="song", recipe=recipe, reads=[], seconds=1.0
        )


def test_every_step_has_words_and_every_aim_a_unit(tmp_path: Path) -> None:
    names = get_args(StepName)
    measured = {name: {AIMS[name].measure: 2.0} if name in AIMS else {} for name in names}
    taken = [Taken(name, "why", "by", "what", 0.5, measured[name], measured[name]) for name in names]
    steps = steps_of(artefact(tmp_path, {"track": [each.as_json() for each in taken]}))
    assert steps is not None
    assert [step.step for step in steps["track"]] == list(names)
    assert all(step.subject and step.kept == 0.5 for step in steps["track"])
    assert {step.step for step in steps["track"] if step.aim is not None and step.aim.unit} == set(AIMS)


def test_only_what_was_listened_for_and_not_there_counts_as_nothing_found(tmp_path: Path) -> None:
    taken = [
        Taken("declip", LISTENED_FOR, "by", "not clipped", 0.0),
        Taken("declick", LISTENED_FOR, "by", "3 clicks", 0.0, taken_back=("clicks did not get less",)),
        Taken("decomb", LISTENED_FOR, "by", "taken off", 1.0),
        Taken("dehum", "the brief asks for it", "by", "no hum", 0.0),
    ]
    steps = steps_of(artefact(tmp_path, {"track": [each.as_json() for each in taken]}))
    assert steps is not None
    assert [step.nothing_found for step in steps["track"]] == [True, False, False, False]


def test_notes_on_steps_are_told_apart_from_others_and_no_path_is_told(tmp_path: Path) -> None:
    taken = Taken("denoise", "noise in /home/me/song.wav", "by", "see /home/me/song.wav", 1.0)
    steps = steps_of(artefact(tmp_path, {"vocals": [taken.as_json()], "bass": []}))
    assert steps is not None
    (step,) = steps["vocals"]
    assert "/home" not in step.reason + step.note
    assert notes_begin(steps) == ("vocals, denoise ",)


def test_a_restoration_with_steps_of_an_earlier_version_has_none_that_can_be_told(tmp_path: Path) -> None:
    told = Taken("derumble", "why", "by", "what", 1.0).as_json() | {"step": "cut_rumble"}
    assert steps_of(artefact(tmp_path, {"track": [told]})) is None
