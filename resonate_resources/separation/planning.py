"""A separation planned: which engines, in what order, and the names that its result goes by.

The plan is made before anything is looked up or run, and what is keyed is the part of it that shaped the result: an
engine that was never tried, because the vocals were good before its turn, is not in the name. So a network that is
down, or an engine more on another machine, gives no other name to what they don't touch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import Recording, file_sha256
from resonate_resources.separation.attempts import Outcome
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.separation.engines import Offer
from resonate_resources.separation.router import (
    EngineFacts,
    Machine,
    Plan,
    Policy,
    Step,
    TrackFacts,
    Wish,
    in_any_weather,
    plan,
)

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

_CORE = tuple(
    f"resonate_resources.separation.{module}" for module in ("attempts", "judging", "exact_sum", "balance")
)
"""What every result goes through, whatever engine it is by."""


@dataclass(frozen=True)
class Planned:
    """A separation of one track that is ready to be looked up or carried out."""

    track: Recording
    brief: SeparationBrief
    plan: Plan
    policy: Policy
    offers: Mapping[EngineFacts, Offer]
    orders: tuple[tuple[EngineFacts, ...], ...]
    """The order of engines now, and what it would be on a machine with a GPU, or a busy one."""

    @property
    def retry_below_db(self) -> float:
        """Who asks for one engine gets that one, be its quality what it may."""
        return self.policy.retry_below_db if self.brief.engine == "auto" else -math.inf

    @cached_property
    def _truth(self) -> dict[str, Json]:
        """Name → SHA-256 of the true stems that quality is measured by."""
        files = sorted(Path(self.brief.truth).glob("*.wav")) if self.brief.truth else []
        return {file.stem: file_sha256(file) for file in files}

    @cached_property
    def recipes(self) -> list[Recipe]:
        """Of every result that the plan may have, the shortest first: after each step that may be the last."""
        steps = self.plan.steps
        satisfied = [self._recipe(steps[:count], True) for count in range(1, len(steps) + 1)]
        return [*satisfied, self._recipe(steps, False)] if steps else [self._recipe((), False)]

    def recipe_of(self, outcome: Outcome) -> Recipe:
        """That of a result: by the steps that shaped it."""
        return self._recipe(outcome.considered, outcome.satisfied)

    def accepts(self, made: Mapping[str, Json]) -> bool:
        """Whether a result of this keyed recipe is as good as one by the plan: made by engines that in some weather
        come before the plan's, elsewhere or when they could run."""
        settings = made.get("settings")
        steps = settings.get("steps") if isinstance(settings, dict) else None
        if not isinstance(settings, dict) or not isinstance(steps, list):
            return False
        mine = self._recipe((), bool(settings.get("satisfied")))
        if {**made, "settings": {**settings, "steps": []}} != mine.keyed():
            return False
        known = [self._offer_of(step) for step in steps]
        if not known or any(facts is None for facts in known):
            return False
        return any(_comes_first(known[0], order) for order in self.orders)

    def _recipe(self, steps: Sequence[Step], satisfied: bool) -> Recipe:
        return Recipe.of(
            _CORE,
            Engine("router"),
            {
                "stems": self.brief.stems,
                "exact_sum": self.brief.exact_sum,
                "truth": dict(self._truth),
                "retry_below_db": self.retry_below_db if math.isfinite(self.retry_below_db) else None,
                "instrumental": _finite(asdict(self.policy.instrumental)),
                "steps": [self.offers[step.engine].make().recipe().keyed() for step in steps],
                "satisfied": satisfied,
            },
            CODE_VERSION,
        )

    def _offer_of(self, step: Json) -> EngineFacts | None:
        """The engine that would make this step today; weights that are not here are taken on trust."""
        for facts, offer in self.offers.items():
            recipe = offer.make().recipe().keyed()
            if recipe == step or (facts.unavailable and _without_hashes(recipe) == _without_hashes(step)):
                return facts
        return None


def plan_separation(
    track: Recording,
    brief: SeparationBrief,
    offers: Iterable[Offer],
    machine: Machine,
    policy: Policy,
    *,
    megabytes: float,
    batch: bool,
) -> Planned:
    """Resolve the plan. megabytes: size of the user's file; batch: whether it is one of many.

    Raises AudioError where the engine asked for is none, or no rule of the policy holds.
    """
    known = {offer.facts(track): offer for offer in offers}
    facts = TrackFacts(megabytes, track.duration)
    wish = Wish(brief.engine, brief.stems, brief.priority, batch)
    return Planned(
        track,
        brief,
        plan(facts, list(known), machine, wish, policy),
        policy,
        known,
        in_any_weather(facts, list(known), wish, policy),
    )


def _comes_first(engine: EngineFacts | None, order: Sequence[EngineFacts]) -> bool:
    """Whether an engine stands in an order at or before the first that can run here."""
    for each in order:
        if each == engine:
            return True
        if each.unavailable is None:
            return False
    return False


def _without_hashes(recipe: Json) -> Json:
    if isinstance(recipe, dict):
        dropped = (
            "weights_sha256",
            "libraries",
        )  # those of an engine that is not installed are not known here
        return {name: _without_hashes(value) for name, value in recipe.items() if name not in dropped}
    return recipe


def _finite(values: Mapping[str, float]) -> dict[str, Json]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
