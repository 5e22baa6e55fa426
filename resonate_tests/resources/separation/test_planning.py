"""Plans of separations: what shaped a result is in its name, and the weather is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.engines import Offer
from resonate_resources.separation.planning import Planned, plan_separation
from resonate_resources.separation.router import Machine, read_policy
from resonate_resources.storage.artefacts import compute_key

IDLE, BUSY, WITH_GPU = Machine(False, 0.0), Machine(False, 9.0), Machine(True, 0.0)
POLICY = """
retry_below_db = 7.0
most_cost_minutes = 30.0
[[rule]]
name = "a GPU"
gpu = true
engines = ["large", "small", "plain"]
[[rule]]
name = "busy"
load_over = 2.0
engines = ["small", "large", "plain"]
[[rule]]
name = "by default"
engines = ["large", "small", "plain"]
"""


@dataclass
class Fake:
    """A separator of which only the name matters here."""

    name: str
    reason: str | None = None
    strength: int = 1
    notes: tuple[str, ...] = ()

    def recipe(self) -> Recipe:
        return Recipe(Engine(self.name), {"strength": self.strength})

    def available(self) -> str | None:
        return self.reason

    def separate(self, *_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def track(tmp_path: Path) -> Recording:
    return write_samples(tmp_path / "track.wav", np.zeros((2, 44100), np.float32), 44100)


def planned(
    track: Recording,
    *down: str,
    machine: Machine = IDLE,
    brief: SeparationBrief | None = None,
    strengths: Mapping[str, int] = {},
) -> Planned:
    """The plan on a machine where these engines can't run."""
    offers = [
        Offer(
            name,
            None,
            4,
            partial(Fake, name, "the hub is down" if name in down else None, strengths.get(name, 1)),
        )
        for name in ("large", "small", "plain")
    ]
    wish = brief or SeparationBrief()
    return plan_separation(track, wish, offers, machine, read_policy(POLICY), megabytes=1.0, batch=False)


def keys(plan: Planned) -> list[str]:
    return [compute_key("stems", recipe.keyed(), {}) for recipe in plan.recipes]


def made_by(plan: Planned, count: int, satisfied: bool = True) -> dict[str, Json]:
    """The recipe of a result that the first engines of a plan gave."""
    return plan._recipe(plan.plan.steps[:count], satisfied).keyed()


def test_a_result_is_looked_for_by_every_step_that_may_be_the_last(track: Recording) -> None:
    plan = planned(track)
    assert [step.engine.name for step in plan.plan.steps] == ["large", "small", "plain"]
    assert len(set(keys(plan))) == 4  # after each of three engines satisfied, or after all of them not


def test_an_engine_that_was_never_tried_is_not_in_the_name(track: Recording) -> None:
    """A network outage, a GPU or a new engine elsewhere must not rename results that they don't touch."""
    everything, outage = planned(track), planned(track, "small")
    assert keys(everything)[0] == keys(outage)[0]
    assert keys(everything)[1:] != keys(outage)[1:]
    assert keys(planned(track, machine=WITH_GPU)) == keys(everything)


def test_what_a_better_engine_made_elsewhere_stays(track: Recording) -> None:
    here = planned(track, "large")
    assert keys(here)[0] != keys(planned(track))[0]
    assert here.accepts(made_by(planned(track), 1))
    assert here.accepts(made_by(planned(track), 3, satisfied=False))


def test_what_a_worse_engine_made_is_made_anew_when_the_better_one_is_back(track: Recording) -> None:
    fallback = made_by(planned(track, "large", "small"), 1)
    assert not planned(track).accepts(fallback)
    assert planned(track, "large", "small").accepts(fallback)


def test_the_order_of_a_busy_machine_is_weather(track: Recording) -> None:
    """What was made on a busy machine, or a quiet one, is not made again for that."""
    quiet, busy = planned(track), planned(track, machine=BUSY)
    assert keys(quiet)[0] != keys(busy)[0]
    assert quiet.accepts(made_by(busy, 1))
    assert busy.accepts(made_by(quiet, 1))


def test_another_wish_or_another_version_of_the_engine_is_made_anew(track: Recording) -> None:
    made = made_by(planned(track), 1)
    assert planned(track).accepts(made)
    assert not planned(track, brief=SeparationBrief(exact_sum=False)).accepts(made)
    assert not planned(track, brief=SeparationBrief(engine="small")).accepts(made)
    assert not planned(track, strengths={"large": 2}).accepts(made)
    assert not planned(track, "large", strengths={"large": 2}).accepts(made)
    changed = {**made, "constants": "of other code"}
    assert not planned(track).accepts(changed)


@pytest.mark.parametrize(
    "made", [{}, {"settings": None}, {"settings": {"steps": "all"}}, {"settings": {"steps": []}}]
)
def test_a_recipe_of_another_kind_is_not_accepted(track: Recording, made: dict[str, Json]) -> None:
    assert not planned(track).accepts(made)


def test_an_engine_that_was_asked_for_is_the_whole_plan(track: Recording) -> None:
    plan = planned(track, brief=SeparationBrief(engine="small"))
    assert [step.engine.name for step in plan.plan.steps] == ["small"]
    assert plan.retry_below_db == float("-inf")
    with pytest.raises(AudioError, match="no such engine"):
        planned(track, brief=SeparationBrief(engine="loud"))
