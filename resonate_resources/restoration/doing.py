"""Who does each step here and now, and by which weights: what of a machine is in the name of a restoration."""

from __future__ import annotations

from collections.abc import Sequence

from resonate_resources.recipe import Json
from resonate_resources.restoration import engines
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.planning import Scope, steps_in_question
from resonate_resources.restoration.step import Step, StepName, Weighted

_OF_WEIGHTS = "weights_sha256"


def engines_for(step: StepName, brief: RestorationBrief) -> Sequence[Step]:
    """The best first."""
    return engines.engines_of(step, embedded=brief.engines == "embedded")


def doing(brief: RestorationBrief, scope: Scope) -> dict[str, Json]:
    """Step → who would do it, of those that may be planned: the first that can."""
    found: dict[str, Json] = {}
    for step in steps_in_question(scope, brief):
        able = next((each for each in engines_for(step, brief) if each.unavailable() is None), None)
        if able is not None:
            found[step] = _told(able)
    return found


def as_good(made: Json, brief: RestorationBrief, scope: Scope) -> bool:
    """Whether steps that were done so, as `doing` told it then, would be done no better now: by the same, or by one
    that comes before and can't run here, whose weights are taken on trust. A worker that was removed spoils nothing
    that it made."""
    return isinstance(made, dict) and all(
        _no_worse(made.get(step), engines_for(step, brief)) for step in steps_in_question(scope, brief)
    )


def _no_worse(made: Json, able: Sequence[Step]) -> bool:
    for engine in able:
        told = _told(engine)
        if engine.unavailable() is None:
            return made == told
        if isinstance(made, dict) and {**made, _OF_WEIGHTS: None} == {**told, _OF_WEIGHTS: None}:
            return True
    return made is None


def _told(step: Step) -> dict[str, Json]:
    settings = step.settings if isinstance(step, Weighted) else {}
    return {"engine": step.engine.name, "model": step.engine.model, **settings}
