"""When a machine for GPU runs is started and stopped. Pure: what is known and seen goes in, a decision comes out.

Times are seconds by the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from resonate_resources.machines.machine import State

IDLE_SECONDS = 600.0
"""Without a run that needs it, before it is stopped."""
START_SECONDS = 600.0
"""In which a machine that was asked to start must be running."""
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0
_DAY_SECONDS = 86_400

_IN_VAIN = "it did not run within ten minutes of its start"

COSTS: frozenset[State] = frozenset({"starting", "running", "stopping"})
"""Rather counted for too long: EC2 takes nothing for the first and the last."""


@dataclass(frozen=True)
class Need:
    """Runs that need a GPU: those that wait, for the machine or for their turn, and those in progress."""

    waiting: int
    working: int


@dataclass(frozen=True)
class Known:
    """Of a machine from the last look. since: of its state. needed_at: when a run last waited or worked.

    failures: starts in a row of which nothing came, with the last one's reason; not tried again before next_try_at.
    """

    state: State
    since: float
    needed_at: float
    failures: int = 0
    failure: str = ""
    next_try_at: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What to do, why, and what is known from now on. trouble: somebody should hear of it.

    though_waiting: a stop for which runs that only wait are no hindrance.
    """

    action: Literal["start", "stop", "none"]
    reason: str
    known: Known
    trouble: bool = False
    though_waiting: bool = False


def decide(
    before: Known | None, seen: State, need: Need, now: float, spent: float, day_cap: float
) -> Decision:
    """before: None at the very first look. spent: on this day. It never stops a machine while a run works, and
    starts none that was asked to start less than START_SECONDS ago."""
    known, news = _noticed(before, seen, now)
    if need.waiting or need.working:
        known = replace(known, needed_at=now)
    decision = _decided(known, need, now, spent >= day_cap, day_cap)
    if not news:
        return decision
    reason = decision.reason if decision.reason.startswith(news) else f"{news}; {decision.reason}"
    return replace(decision, reason=reason, trouble=True)


def failed(known: Known, reason: str, now: float) -> Known:
    """After a start of which nothing came: pauses of 1, 2, 4 … minutes, an hour at most."""
    pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(known.failures, 10), _LONGEST_PAUSE_SECONDS)
    return replace(known, failures=known.failures + 1, failure=reason, next_try_at=now + pause)


def by_day(start: float, end: float) -> dict[str, float]:
    """Seconds of a span on each day (UTC, as in 2026-11-28) that it touches."""
    found: dict[str, float] = {}
    while start < end:
        midnight = (start // _DAY_SECONDS + 1) * _DAY_SECONDS  # POSIX time has no leap seconds
        day = datetime.fromtimestamp(midnight - _DAY_SECONDS, UTC).date()
        found[day.isoformat()] = min(end, midnight) - start
        start = midnight
    return found


def _noticed(before: Known | None, seen: State, now: float) -> tuple[Known, str]:
    """What is known after a look, and what somebody else did, or what did not come of a start."""
    if before is None:
        return Known(seen, now, now), ""
    was, known = before.state, replace(before, state=seen, since=now)
    if was == seen or (was == "starting" and seen == "stopped" and now - before.since < START_SECONDS):
        return before, ""  # the latter: asked for, and not to be seen yet
    news = ""
    if was == "starting" and seen == "stopped":
        news = _IN_VAIN
    elif was in ("starting", "running") and seen in ("stopping", "stopped"):
        news = "somebody else stopped it"
    elif was == "stopped" and seen in ("starting", "running"):
        return replace(known, needed_at=now), "somebody else started it"
    return (failed(known, news, now) if news else known), news


def _decided(known: Known, need: Need, now: float, over: bool, day_cap: float) -> Decision:
    capped = f"the cap of {day_cap:g} a day is reached" if over else ""
    match known.state:
        case "starting":
            return _of_starting(known, need, now)
        case "running":
            return _of_running(known, need, now, capped)
        case "stopping":
            return Decision("none", "it is stopping", known)
        case "stopped":
            return _of_stopped(known, need, now, capped)
        case "gone":
            return Decision("none", "it was terminated, or is nowhere: name another", known, trouble=True)


def _of_starting(known: Known, need: Need, now: float) -> Decision:
    if now - known.since < START_SECONDS or need.working:
        return Decision("none", "it is starting", known)
    return _stop(failed(known, _IN_VAIN, now), f"{_IN_VAIN}; stopped", now, trouble=True)


def _of_running(known: Known, need: Need, now: float, capped: str) -> Decision:
    if now - known.since >= START_SECONDS:
        known = replace(known, failures=0, failure="", next_try_at=0.0)
    if capped and need.working:
        return Decision("none", f"{capped}; stopped once its run ends", known, trouble=True)
    if capped:
        return _stop(known, f"{capped}; stopped", now, trouble=True)
    if need.waiting or need.working:
        return Decision("none", "runs need it", known)
    if now - known.needed_at < IDLE_SECONDS:
        return Decision("none", "no run needs it; stopped after ten idle minutes", known)
    return replace(_stop(known, "stopped after ten idle minutes", now), though_waiting=False)


def _of_stopped(known: Known, need: Need, now: float, capped: str) -> Decision:
    if not (need.waiting or need.working):
        return Decision("none", "no run needs it", known)
    if capped:
        return Decision("none", f"{capped}; not started before tomorrow (UTC)", known, trouble=True)
    if now < known.next_try_at:  # told when it failed
        return Decision("none", f"{known.failure}; tried again after a pause", known)
    return Decision("start", "started, as a run needs a GPU", replace(known, state="starting", since=now))


def _stop(known: Known, reason: str, now: float, trouble: bool = False) -> Decision:
    return Decision("stop", reason, replace(known, state="stopping", since=now), trouble, though_waiting=True)
