"""The rule by which a machine for GPU runs is started and stopped, whatever the runs, the machine and people do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.machines.deciding import Decision, Known, Need, by_day, decide, failed
from resonate_resources.machines.machine import State

TICK = 30.0
NOBODY, WAITS, WORKS = Need(0, 0), Need(1, 0), Need(0, 1)
CAP = 10.0


@dataclass
class World:
    """A machine that boots in a minute, unless it hangs or can't start, and the ticks of a sensor."""

    state: State = "stopped"
    now: float = 1e9
    known: Known | None = None
    changes_at: float = 0.0
    hangs: bool = False
    dead_on_start: bool = False
    decisions: list[tuple[float, State, Decision]] = field(default_factory=list)

    def tick(self, need: Need, spent: float = 0.0, seconds: float = TICK) -> Decision:
        self.now += seconds
        if self.now >= self.changes_at and not self.hangs:
            self.state = {"starting": "running", "stopping": "stopped"}.get(self.state, self.state)  # type: ignore[assignment]
        decision = decide(self.known, self.state, need, self.now, spent, CAP)
        self.decisions.append((self.now, self.state, decision))
        self.known = decision.known
        if decision.action == "start" and not self.dead_on_start:
            self.state, self.changes_at = "starting", self.now + 60
        elif decision.action == "stop":
            self.state, self.changes_at, self.hangs = "stopping", self.now + 60, False
        return decision

    def actions(self, action: str) -> list[float]:
        return [moment for moment, _, decision in self.decisions if decision.action == action]


def test_the_first_run_that_waits_starts_it_once() -> None:
    world = World()
    assert world.tick(NOBODY).action == "none"
    assert world.tick(WAITS).action == "start"
    assert [world.tick(WAITS).action for _ in range(30)] == ["none"] * 30
    assert world.state == "running"


def test_it_is_stopped_after_ten_idle_minutes_and_not_before() -> None:
    world = World("running")
    world.tick(WORKS)
    idle = [world.tick(NOBODY).action for _ in range(20)]
    assert idle == ["none"] * 19 + ["stop"]


def test_a_run_that_comes_in_the_tenth_minute_gives_it_ten_more() -> None:
    world = World("running")
    world.tick(WORKS)
    for _ in range(19):
        world.tick(NOBODY)
    world.tick(WAITS)
    assert [world.tick(NOBODY).action for _ in range(19)] == ["none"] * 19


def test_a_start_that_comes_to_nothing_is_told_after_ten_minutes_and_tried_again_with_growing_pauses() -> (
    None
):
    world = World(dead_on_start=True)
    while world.now < 1e9 + 12 * 3600:
        world.tick(WAITS)
    starts = world.actions("start")
    pauses = [later - earlier - 600 for earlier, later in pairwise(starts)]
    assert pauses[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert set(pauses[7:]) <= {3600.0}
    told = [decision.reason for _, _, decision in world.decisions if decision.trouble]
    assert 0 <= len(starts) - len(told) <= 1  # what came of the last one may not be known yet
    assert set(told) == {"it did not run within ten minutes of its start; tried again after a pause"}


def test_a_machine_that_hangs_while_it_starts_is_stopped_and_started_again() -> None:
    world = World(hangs=True)
    while not world.actions("stop"):
        world.tick(WAITS)
    [started], [stopped] = world.actions("start"), world.actions("stop")
    assert stopped - started == pytest.approx(600, abs=TICK)
    assert world.decisions[-1][2].trouble
    for _ in range(10):
        world.tick(WAITS)
    assert len(world.actions("start")) == 2
    assert world.state == "running"


def test_one_that_somebody_else_stopped_is_told_and_started_again_after_a_pause() -> None:
    world = World("running")
    world.tick(WORKS)
    world.state = "stopped"
    decision = world.tick(WAITS)
    assert (decision.action, decision.trouble) == ("none", True)
    assert decision.reason.startswith("somebody else stopped it")
    world.tick(WAITS)
    assert world.tick(WAITS).action == "start"


def test_one_that_somebody_else_stopped_stays_so_while_nobody_needs_it() -> None:
    world = World("running")
    world.tick(NOBODY)
    world.state = "stopped"
    assert world.tick(NOBODY).trouble
    assert {world.tick(NOBODY).action for _ in range(100)} == {"none"}


def test_one_that_somebody_else_started_has_its_ten_minutes_and_is_stopped() -> None:
    world = World()
    world.tick(NOBODY)
    world.tick(NOBODY, seconds=3600)
    world.state = "running"
    told = world.tick(NOBODY)
    assert told.reason.startswith("somebody else started it")
    assert [world.tick(NOBODY).action for _ in range(20)] == ["none"] * 19 + ["stop"]


def test_one_that_was_terminated_is_told_and_left_alone() -> None:
    world = World("running")
    world.tick(WORKS)
    world.state = "gone"
    decision = world.tick(WAITS)
    assert (decision.action, decision.trouble) == ("none", True)
    assert "terminated" in decision.reason


def test_beyond_the_cap_it_is_not_started_and_one_that_runs_is_stopped_when_its_run_ends() -> None:
    assert World().tick(WAITS, spent=CAP).action == "none"
    assert World().tick(WAITS, spent=CAP - 0.01).action == "start"
    world = World("running")
    world.tick(WORKS)
    assert world.tick(Need(5, 1), spent=CAP).action == "none"
    decision = world.tick(Need(5, 0), spent=CAP)
    assert (decision.action, decision.trouble) == ("stop", True)
    assert decision.reason == "the cap of 10 a day is reached; stopped"


NEEDS = st.builds(Need, st.integers(0, 2), st.integers(0, 2))
STEPS = st.lists(
    st.tuples(
        st.sampled_from([1.0, TICK, TICK, TICK, 300.0, 4000.0]),
        st.one_of(st.just(NOBODY), NEEDS),
        st.sampled_from([0.0, 0.0, 0.0, CAP]),
        st.sampled_from([None] * 6 + ["stopped", "running", "stopping", "gone", "hang", "refuse"]),
    ),
    max_size=120,
)


@given(STEPS, st.sampled_from(["stopped", "starting", "running", "stopping"]))
def test_whatever_happens_no_run_is_broken_off_and_none_starts_it_twice(
    steps: list[tuple[float, Need, float, str | None]], first: State
) -> None:
    world = World(first)
    asked_at: float | None = None
    needed_at = world.now + steps[0][0] if steps else 0.0  # the first look counts as one
    stopped_before = False
    for seconds, need, spent, event in steps:
        if event == "hang":
            world.hangs = True
        elif event == "refuse":
            world.dead_on_start = not world.dead_on_start
        elif event is not None:
            world.state = event  # type: ignore[assignment]
        decision = world.tick(need, spent, seconds)
        seen = world.decisions[-1][1]
        some = need.waiting + need.working > 0
        if some or (stopped_before and seen in ("starting", "running")):
            needed_at = world.now
        asked = asked_at is not None and world.now - asked_at < 600  # what runs later runs as it was asked to
        stopped_before = seen == "stopped" and decision.action != "start" and not asked
        if seen != "stopped":
            asked_at = None
        if decision.action == "stop":
            assert need.working == 0
            idle = world.now - needed_at >= 600
            assert idle or spent >= CAP or seen == "starting"
            assert seen in ("running", "starting")
        if decision.action == "start":
            assert some
            assert spent < CAP
            assert seen == "stopped"
            assert asked_at is None or world.now - asked_at >= 600
            asked_at = world.now


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_sound_machine_runs_two_minutes_after_a_run_begins_to_wait(needed: list[bool]) -> None:
    world, since = World(), 0
    for waits in needed:
        world.tick(WAITS if waits else NOBODY)
        since = since + 1 if waits else 0
        # A minute for one that is just stopping, a minute to start, and the tick that sees it.
        assert since < 6 or world.state == "running"


@given(st.integers(0, 200))
def test_a_pause_is_never_longer_than_an_hour(failures: int) -> None:
    known = failed(Known("stopped", 0.0, 0.0, failures), "no capacity", 1e9)
    assert 1e9 + 60 <= known.next_try_at <= 1e9 + 3600
    assert known.failures == failures + 1


@given(st.floats(0, 4e9), st.floats(0, 30 * 86_400))
def test_seconds_are_shared_out_over_days_and_none_is_lost(start: float, length: float) -> None:
    days = by_day(start, start + length)
    assert sum(days.values()) == pytest.approx(length, abs=1e-3)
    assert all(0 < seconds <= 86_400 for seconds in days.values())
    assert len(days) <= length / 86_400 + 2


def test_midnight_is_that_of_utc() -> None:
    start = datetime(2026, 2, 28, 23, 50, tzinfo=UTC).timestamp()
    assert by_day(start, start + 3600) == {"2026-02-28": 600.0, "2026-03-01": 3000.0}
