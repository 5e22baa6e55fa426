"""Who is alive: by signs in the shared database, whatever the host and whatever sleeps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.storage import heartbeats as module
from resonate_resources.storage.database import transaction
from resonate_resources.storage.heartbeats import (
    Heartbeat,
    Watch,
    alive,
    claim,
    forget,
    heartbeats,
    holding,
    tracks_in_use,
)

TRACK = "song-0123456789ab"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats of a tenth of a second, dead after one."""
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(module, "DEAD_AFTER_SECONDS", 1.0)
    monkeypatch.setattr(module, "_SURE_AFTER_SECONDS", 0.5)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.05)


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that beats ten times a second and holds the one place."""
    program = (
        "import sys, time\n"
        "from resonate_resources.storage import heartbeats\n"
        "heartbeats.BEAT_SECONDS = 0.1\n"
        f"with heartbeats.holding(sys.argv[1], 'pool', 'gpu', 1, track='{TRACK}'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def age_by(url: str, seconds: float) -> None:
    """Make every heartbeat older, as they are after a sleep of the machine."""
    with transaction(url) as db:
        table = module._heartbeats
        db.execute(sa.update(table).values(beat_at=table.c.beat_at - seconds))


@pytest.mark.usefixtures("quick")
def test_who_works_beats_and_leaves_nothing_behind(url: str) -> None:
    with alive(url, "run", "r1", TRACK):
        (first,) = heartbeats(url, "run")
        assert (first.name, first.track, first.pid) == ("r1", TRACK, os.getpid())
        time.sleep(0.5)
        (later,) = heartbeats(url, "run")
        assert later.beat_at > first.beat_at
        assert tracks_in_use(url) == {TRACK}
    assert heartbeats(url, "run") == []
    assert tracks_in_use(url) == set()


@pytest.mark.usefixtures("quick")
def test_the_place_of_a_killed_process_is_free_for_who_waits(url: str) -> None:
    with holder(url) as other:
        looks: list[Heartbeat] = []
        waits = threading.Event()

        def full(holders: list[Heartbeat]) -> None:
            looks.extend(holders)
            waits.set()

        def kill() -> None:
            waits.wait(10)
            other.send_signal(signal.SIGKILL)

        threading.Thread(target=kill).start()
        began = time.monotonic()
        with holding(url, "pool", "gpu", 1, full=full):
            assert time.monotonic() - began < 10
            (held,) = heartbeats(url, "pool")
            assert held.pid == os.getpid()
        assert {look.pid for look in looks} == {other.pid}


@pytest.mark.usefixtures("quick")
def test_a_place_that_is_held_by_the_living_is_not_taken_however_long_it_is(url: str) -> None:
    class GivenUpError(Exception):
        pass

    with holder(url):
        until = time.monotonic() + 4  # four times as long as the dead have

        def full(_: list[Heartbeat]) -> None:
            if time.monotonic() > until:
                raise GivenUpError

        with pytest.raises(GivenUpError), holding(url, "pool", "gpu", 1, full=full):
            pass
    assert len(heartbeats(url, "pool")) == 1


@pytest.mark.usefixtures("quick")
def test_a_process_that_stood_still_beats_again_when_it_comes_back(url: str) -> None:
    with holder(url) as other:
        other.send_signal(signal.SIGSTOP)
        with holding(url, "pool", "gpu", 1):
            assert [held.pid for held in heartbeats(url, "pool")] == [os.getpid()]
            other.send_signal(signal.SIGCONT)
            until = time.monotonic() + 10
            while len(heartbeats(url, "pool")) < 2:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert {held.pid for held in heartbeats(url, "pool")} == {os.getpid(), other.pid}


def test_so_many_places_are_held_at_once_and_no_more(url: str) -> None:
    most, now, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal most, now
        with holding(url, "pool", "cores", 2):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.1)
            with lock:
                now -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (most, now) == (2, 0)


BEAT = Heartbeat("a", "run", "r1", None, "host", 1, beat_at=100.0, age=0.0)


def test_a_machine_that_slept_does_not_take_its_own_runs_for_dead() -> None:
    awake = [0.0]
    watch = Watch(lambda: awake[0])
    assert watch.dead([BEAT]) == []
    # An hour of sleep, in which the clock of the machine's waking time stood still.
    awake[0] += 1
    assert watch.dead([replace(BEAT, age=3600.0)]) == []
    awake[0] += 5
    assert watch.dead([replace(BEAT, beat_at=3705.0, age=0.1)]) == []
    awake[0] += 60
    assert watch.dead([replace(BEAT, beat_at=3760.0, age=5.0)]) == []


def test_what_is_over_its_time_at_two_looks_is_dead() -> None:
    awake = [0.0]
    watch = Watch(lambda: awake[0])
    assert watch.dead([replace(BEAT, age=31.0)]) == []
    awake[0] += 9
    assert watch.dead([replace(BEAT, age=40.0)]) == []
    awake[0] += 2
    assert [one.id for one in watch.dead([replace(BEAT, age=42.0)])] == ["a"]


def test_of_all_who_see_one_die_one_has_to_see_to_it(url: str) -> None:
    with alive(url, "run", "r1"):
        age_by(url, 100)
        (dead,) = heartbeats(url, "run")
        assert [claim(url, dead), claim(url, dead)] == [True, False]
        forget(url, dead)
        assert heartbeats(url, "run") == []


def test_a_database_that_fails_while_beating_does_not_harm_the_work(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    real, failures = module.done, []

    def failing(url_: str, work: object) -> object:
        if threading.current_thread().name == "heartbeat" and len(failures) < 3:
            failures.append(work)
            raise sa.exc.OperationalError("UPDATE", {}, Exception("the server has gone away"))
        return real(url_, work)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "done", failing)
    with alive(url, "run", "r1"):
        (first,) = heartbeats(url, "run")
        time.sleep(1)
        (later,) = heartbeats(url, "run")
    assert len(failures) == 3
    assert later.beat_at > first.beat_at
    assert "the server has gone away" in caplog.text
