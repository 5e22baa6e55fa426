"""Looks at a machine, and what stands in the database after them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.machines import ledger
from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import days, settle, standing
from resonate_resources.machines.machine import GpuMachine, MachineError, State
from resonate_resources.machines.tending import Told, tend
from resonate_resources.storage.database import transaction

NOBODY, WAITS, WORKS = Need(0, 0), Need(1, 0), Need(0, 1)
DAY = 86_400.0


class Switch:
    """A machine that does at once what it is told."""

    name = "a machine"
    price = 3.6
    """An hour: a thousandth a second."""

    def __init__(self, state: State = "stopped") -> None:
        self.now_is: State = state
        self.starts = self.stops = 0
        self.trouble: str | None = None

    def state(self) -> State:
        return self.now_is

    def start(self) -> None:
        self._refuse()
        self.starts, self.now_is = self.starts + 1, "running"

    def stop(self) -> None:
        self._refuse()
        self.stops, self.now_is = self.stops + 1, "stopped"

    def _refuse(self) -> None:
        if self.trouble:
            raise MachineError(self.trouble)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


def look(url: str, machine: Switch, *needs: Need, cap: float = 100.0) -> Told:
    """One tick; the second need is what the last look before a stop finds."""
    seen = iter([*needs, needs[-1]])
    return tend(url, machine, lambda: next(seen), cap)


def pass_by(url: str, seconds: float) -> None:
    """Everything was so much longer ago."""
    table = ledger._machines
    columns = ("since", "needed_at", "next_try_at", "counted_at")
    with transaction(url) as db:
        db.execute(sa.update(table).values({name: table.c[name] - seconds for name in columns}))


def test_a_run_starts_it_and_ten_idle_minutes_by_the_databases_clock_stop_it(url: str) -> None:
    machine = Switch()
    for need in (NOBODY, WAITS, WORKS, NOBODY):
        look(url, machine, need)
    assert (machine.starts, machine.stops) == (1, 0)
    pass_by(url, 590)
    look(url, machine, NOBODY)
    assert machine.stops == 0
    pass_by(url, 10)
    told = look(url, machine, NOBODY)
    assert (machine.starts, machine.stops) == (1, 1)
    assert told.line == "a machine: stopped after ten idle minutes"
    [row] = standing(url)
    assert (row.machine, row.state, row.reason) == (
        "a machine",
        "stopping",
        "stopped after ten idle minutes",
    )


@pytest.mark.parametrize("came", [WAITS, WORKS])
def test_a_run_that_comes_between_the_decision_and_the_stop_keeps_it(url: str, came: Need) -> None:
    machine = Switch("running")
    look(url, machine, NOBODY)
    pass_by(url, 700)
    told = look(url, machine, NOBODY, came)
    assert machine.stops == 0
    assert "just before" in told.line
    look(url, machine, came)
    assert (machine.now_is, machine.starts) == ("running", 0)


def test_of_many_that_look_at_once_one_starts_it(url: str) -> None:
    machine, together, actions = Switch(), threading.Barrier(6), []
    look(url, machine, NOBODY)

    def host() -> None:
        together.wait()  # all have seen it stopped
        decision, _ = settle(url, machine.name, machine.price, "stopped", WAITS, 100.0)
        actions.append(decision.action)

    threads = [threading.Thread(target=host) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(actions) == ["none"] * 5 + ["start"]


def test_a_start_that_is_refused_is_told_once_and_tried_again_after_a_minute(url: str) -> None:
    machine = Switch()
    machine.trouble = "a machine: no capacity"
    look(url, machine, NOBODY)
    told = [look(url, machine, WAITS) for _ in range(3)]
    assert [one.new_trouble for one in told] == [True, False, False]
    assert told[0].line == "a machine: no capacity"
    assert told[2].line == "a machine: a machine: no capacity; tried again after a pause"
    pass_by(url, 59)
    machine.trouble = None
    look(url, machine, WAITS)
    assert machine.starts == 0
    pass_by(url, 1)
    look(url, machine, WAITS)
    assert machine.starts == 1


def test_a_machine_that_can_not_be_asked_or_stopped_is_told_and_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Switch("running")
    look(url, machine, NOBODY)

    def unreachable() -> State:
        raise MachineError("a machine: nobody answers")

    with monkeypatch.context() as patch:
        patch.setattr(machine, "state", unreachable)
        told = [look(url, machine, NOBODY) for _ in range(2)]
    assert [(one.line, one.new_trouble) for one in told] == [
        ("a machine: nobody answers", True),
        ("a machine: nobody answers", False),
    ]
    pass_by(url, 700)
    machine.trouble = "a machine: not allowed"
    assert look(url, machine, NOBODY).line == "a machine: not allowed"
    machine.trouble = None
    look(url, machine, NOBODY)
    assert machine.stops == 1


def test_each_second_that_it_runs_is_counted_at_its_price_and_none_that_it_stands(url: str) -> None:
    machine = Switch()
    look(url, machine, NOBODY)
    pass_by(url, 5000)
    look(url, machine, WAITS)
    pass_by(url, 1000)
    look(url, machine, WORKS)
    pass_by(url, 2000)
    look(url, machine, NOBODY)  # stops
    pass_by(url, 700)
    look(url, machine, NOBODY)
    look(url, machine, NOBODY)
    pass_by(url, 9000)
    look(url, machine, NOBODY)
    assert machine.stops == 1
    found = days(url)
    assert sum(day.seconds for day in found) == pytest.approx(3700, abs=5)
    assert sum(day.cost for day in found) == pytest.approx(3.7, abs=0.005)


def test_beyond_the_cap_of_a_day_it_is_stopped_and_starts_again_on_the_next(url: str) -> None:
    machine = Switch("running")
    look(url, machine, WORKS, cap=0.5)
    pass_by(
        url, 2 * DAY
    )  # two days ago at least: today's part of it is over the cap at any time of day but midnight
    assert look(url, machine, WORKS, cap=1e-3).new_trouble
    assert machine.stops == 0
    assert look(url, machine, WAITS, cap=1e-3).line.endswith("is reached; stopped")
    assert machine.now_is == "stopped"
    look(url, machine, WAITS, cap=1e-3)
    assert machine.starts == 0
    with transaction(url) as db:
        db.execute(sa.delete(ledger._days))  # as on the next day
    look(url, machine, WAITS, cap=1e-3)
    assert machine.starts == 1


# Settings


SETTINGS = {
    "RESONATE_GPU_MACHINE": "ec2:i-0123456789abcdef0",
    "RESONATE_GPU_PRICE": "1.2",
    "RESONATE_GPU_DAY_CAP": "10",
}


def test_a_machine_is_set_by_id_or_tag_with_what_an_hour_costs_and_a_day_may_cost() -> None:
    assert GpuMachine.from_environment({}) is None
    by_id = GpuMachine.from_environment(SETTINGS)
    assert by_id == GpuMachine("ec2:i-0123456789abcdef0", 1.2, 10.0)
    tagged = SETTINGS | {"RESONATE_GPU_MACHINE": "ec2:Name=gpu", "RESONATE_GPU_REGION": "eu-central-1"}
    assert GpuMachine.from_environment(tagged) == GpuMachine("ec2:Name=gpu", 1.2, 10.0, "eu-central-1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESONATE_GPU_MACHINE", "gcp:i-01"),
        ("RESONATE_GPU_MACHINE", "ec2:gpu"),
        ("RESONATE_GPU_MACHINE", ""),
        ("RESONATE_GPU_PRICE", ""),
        ("RESONATE_GPU_PRICE", "1,20"),
        ("RESONATE_GPU_DAY_CAP", "inf"),
        ("RESONATE_GPU_DAY_CAP", "-3"),
        ("RESONATE_GPU_ENDPOINT", "127.0.0.1:5000"),
    ],
)
def test_a_setting_that_can_not_be_meant_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}[:=]") as caught:
        GpuMachine.from_environment(SETTINGS | {name: value})
    assert "\n" not in str(caught.value)
