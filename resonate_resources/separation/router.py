"""Which engines to separate a track with, in what order, and why: a pure function of facts and a policy."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any, Literal

from resonate_resources.recordings.recording import AudioError
from resonate_resources.separation.quality import Instrumental

STEM_COUNTS = (2, 4, 6)
Priority = Literal["none", "vocals"]


@dataclass(frozen=True)
class TrackFacts:
    """megabytes: size of the user's file, 10⁶ bytes. seconds: its length."""

    megabytes: float
    seconds: float


@dataclass(frozen=True)
class Machine:
    """gpu: whether there is one that a model fits in. load: processes that want a processor, a processor."""

    gpu: bool
    load: float


@dataclass(frozen=True)
class Wish:
    """What a user asks for. engine: "auto", or the one to use and no other, as name or name:model."""

    engine: str = "auto"
    stems: int = 4
    priority: Priority = "none"
    batch: bool = False


@dataclass(frozen=True)
class EngineFacts:
    """An engine as the router knows it. unavailable: why it can't run, on one line. cost_minutes: what a service
    charges for the track."""

    name: str
    model: str | None
    stems: int
    unavailable: str | None = None
    cost_minutes: float = 0.0

    @property
    def label(self) -> str:
        return self.name if self.model is None else f"{self.name}:{self.model}"


@dataclass(frozen=True)
class Rule:
    """One row of a policy; see policy.toml for what the conditions mean. None: no condition."""

    name: str
    engines: tuple[str, ...]
    stems: int | None = None
    priority: str | None = None
    over_megabytes: float | None = None
    batch: bool | None = None
    gpu: bool | None = None
    load_over: float | None = None

    def holds(self, track: TrackFacts, machine: Machine, wish: Wish) -> bool:
        equal = (
            (self.stems, wish.stems),
            (self.priority, wish.priority),
            (self.batch, wish.batch),
            (self.gpu, machine.gpu),
        )
        over = ((self.over_megabytes, track.megabytes), (self.load_over, machine.load))
        return all(wanted in (None, is_) for wanted, is_ in equal) and all(
            limit is None or is_ > limit for limit, is_ in over
        )


@dataclass(frozen=True)
class Policy:
    """Rules, of which the first that holds counts; quality under which to go on, in dB; cap on cost, in minutes;
    for which tracks no further engine is paid."""

    rules: tuple[Rule, ...]
    retry_below_db: float
    most_cost_minutes: float
    instrumental: Instrumental


@dataclass(frozen=True)
class Step:
    """An engine of a plan: its place in it follows from `reason`."""

    engine: EngineFacts
    reason: str


@dataclass(frozen=True)
class Plan:
    """What to try, in order; and what of the rule's engines is left out, with why."""

    steps: tuple[Step, ...]
    left_out: tuple[Step, ...] = ()


def plan(
    track: TrackFacts, engines: Sequence[EngineFacts], machine: Machine, wish: Wish, policy: Policy
) -> Plan:
    """Order the engines for a track. An engine that was asked for by name is the whole plan, be its quality what
    it may. Raises AudioError where the name is no engine's or no rule holds."""
    if wish.stems not in STEM_COUNTS:
        raise AudioError(f"{wish.stems} stems: there are 2, 4 or 6")
    if wish.engine != "auto":
        named = [next(iter(_matching(wish.engine, engines, wish.stems)))]
        why = "asked for"
        most_minutes = float("inf")  # who asks for a paid engine by name has the service's own caps
    else:
        rule = next((rule for rule in policy.rules if rule.holds(track, machine, wish)), None)
        if rule is None:
            raise AudioError(
                f"no rule of the policy holds for {wish.stems} stems; add one without conditions"
            )
        named = list(dict.fromkeys(_of_rule(rule, engines, wish.stems)))
        why = rule.name
        most_minutes = policy.most_cost_minutes
    steps: list[Step] = []
    left_out: list[Step] = []
    for engine in named:
        reason = engine.unavailable
        if reason is None and engine.cost_minutes > most_minutes:
            reason = f"would cost {engine.cost_minutes:.1f} minutes of at most {most_minutes:g}"
        if reason is None:
            steps.append(Step(engine, why))
        else:
            left_out.append(Step(engine, reason))
    return Plan(tuple(steps), tuple(left_out))


def in_any_weather(
    track: TrackFacts, engines: Sequence[EngineFacts], wish: Wish, policy: Policy
) -> tuple[tuple[EngineFacts, ...], ...]:
    """Orders that `plan` might give engines if all could run, with and without a GPU, on a busy machine or not.

    What one of them gives is as good as what another does: which it is, is the weather.
    """
    if wish.engine != "auto":
        return (tuple(_matching(wish.engine, engines, wish.stems)),)
    orders: dict[tuple[EngineFacts, ...], None] = {}
    for machine in (Machine(gpu, load) for gpu in (True, False) for load in (0.0, math.inf)):
        rule = next((rule for rule in policy.rules if rule.holds(track, machine, wish)), None)
        if rule is not None:
            named = (
                engine for name in rule.engines for engine in _matching(name, engines, wish.stems, False)
            )
            orders[tuple(dict.fromkeys(named))] = None
    return tuple(orders)


def _of_rule(rule: Rule, engines: Sequence[EngineFacts], stems: int) -> Iterator[EngineFacts]:
    """Of each of the rule's engines the best model that can run, or, where none can, the best."""
    for name in rule.engines:
        matching = list(_matching(name, engines, stems, strict=False))
        if matching:
            yield next((engine for engine in matching if engine.unavailable is None), matching[0])


def _matching(
    name: str, engines: Sequence[EngineFacts], stems: int, strict: bool = True
) -> Iterator[EngineFacts]:
    """Engines written as name or name:model that give so many stems, best model first."""
    known = [engine for engine in engines if name in (engine.name, engine.label)]
    fitting = [engine for engine in known if engine.stems == stems]
    if strict and not known:
        names = ", ".join(dict.fromkeys(engine.name for engine in engines))
        raise AudioError(f"{name}: no such engine; there are {names}")
    if strict and not fitting:
        counts = " or ".join(str(count) for count in sorted({engine.stems for engine in known}))
        raise AudioError(f"{name}: gives {counts} stems, not {stems}")
    yield from fitting


def read_policy(text: str = "") -> Policy:
    """A policy from TOML as in policy.toml, which is what counts where nothing is given. Raises AudioError."""
    try:
        values = tomllib.loads(
            text or resources.files(__package__).joinpath("policy.toml").read_text("utf-8")
        )
        return Policy(
            tuple(_rule(row) for row in values["rule"]),
            float(values["retry_below_db"]),
            float(values["most_cost_minutes"]),
            _instrumental(values.get("instrumental", {})),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise AudioError(f"the separation policy can't be used: {' '.join(str(error).split())}") from error


def _instrumental(row: Mapping[str, Any]) -> Instrumental:
    if unknown := set(row) - {field.name for field in fields(Instrumental)}:
        raise ValueError(f"instrumental has no {', '.join(sorted(unknown))}")
    return Instrumental(**{name: float(value) for name, value in row.items()})


def _rule(row: Mapping[str, Any]) -> Rule:
    if unknown := set(row) - {field.name for field in fields(Rule)}:
        raise ValueError(f"no such condition: {', '.join(sorted(unknown))}")
    return Rule(**{**row, "engines": tuple(row["engines"])})
