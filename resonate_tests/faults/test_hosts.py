"""What may become of a host of many: its run is carried out elsewhere, nothing is left, and who watches is told.

One cluster for all of it: PostgreSQL, RabbitMQ, S3, a daemon, metrics, Prometheus, and workers for each case."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import dagster as dg
import pytest
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.run_coordinator import SubmitRunContext
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from resonate_resources.storage.database import transaction
from resonate_tests.assets.run_queue.tiny import tiny
from resonate_tests.cut_off import CutOff
from resonate_tests.e2e.test_postgres import postgresql
from resonate_tests.e2e.test_s3 import endpoint
from resonate_tests.machines import Machines
from resonate_tests.programs import required
from resonate_tests.prometheus_server import DISK, Prometheus
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports

__all__ = ["endpoint", "postgresql"]

pytestmark = pytest.mark.timeout(1200)  # six processes, each of which takes seconds to begin, on two cores

Status = dg.DagsterRunStatus
_TINY = "resonate_tests.assets.run_queue.tiny"
_MODULES = ("--module", "resonate_assets.definitions", "--module", _TINY)
_ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name=_TINY), _TINY),
        "__repository__",
    ),
    "tiny",
)


class Cluster:
    def __init__(
        self, machines: Machines, instance: dg.DagsterInstance, prometheus: Prometheus, ports: list[int]
    ) -> None:
        self.machines, self.instance, self.prometheus, self._ports = machines, instance, prometheus, ports
        self.folder = machines.folder

    def host(self, name: str) -> CutOff:
        """One whose network can be cut."""
        return CutOff(name, self._ports)

    def ask(self) -> str:
        """For a run of the tiny job, as a sensor does; its id. It waits to be let go."""
        run = self.instance.create_run_for_job(
            tiny,
            job_code_origin=dg.reconstructable(tiny).get_python_origin(),
            remote_job_origin=_ORIGIN,
            status=Status.NOT_STARTED,
        )
        coordinator = self.instance.run_coordinator
        coordinator.submit_run(SubmitRunContext(run, None))  # type: ignore[arg-type]
        return run.run_id

    def begun(self) -> list[tuple[str, int]]:
        return self._told("begun")

    def ended(self) -> list[tuple[str, int]]:
        return self._told("ended")

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def again(self, run: str) -> dg.DagsterRun | None:
        """The retry of a run."""
        found = self.instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run}))
        return found[0] if found else None

    def beating_on(self, host: str) -> list[tuple[str, ...]]:
        return self.machines.asked(f"SELECT name FROM heartbeats WHERE kind = 'run' AND host = '{host}'")

    def status(self, run: str) -> Status:
        found = self.instance.get_run_by_id(run)
        assert found is not None
        return found.status

    def reason(self, run: str) -> str:
        """The last that was said of a failure."""
        told = self.instance.all_logs(run, of_type=dg.DagsterEventType.RUN_FAILURE)
        return told[-1].message if told else ""

    def silent(self) -> bool:
        """Whether the alert fires that tells of runs without a sign of life."""
        return "ResonateDeadRuns" in self.prometheus.firing()

    def until(self, what: str, condition, seconds: float = 300) -> float:  # type: ignore[no-untyped-def]
        """How long it took, in seconds."""
        began = time.monotonic()
        self.machines.wait_for(what, condition, seconds)
        return time.monotonic() - began

    def nothing_is_left(self) -> None:
        """No run waits or works, no place is taken, nobody is taken for being at work, and no alert fires."""
        self.until("the last run to end", self.machines.idle)
        self.until(
            "the last place to be free",
            lambda: not self.machines.asked("SELECT name FROM heartbeats WHERE kind <> 'daemon'"),
        )
        self.until("all alerts to be silent", lambda: not self.prometheus.firing() - DISK)

    def _told(self, what: str) -> list[tuple[str, int]]:
        file = self.folder / what
        lines = file.read_text().splitlines() if file.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]


@pytest.fixture(scope="module")
def cluster(
    postgresql: dict[str, str], endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    bucket, client = f"resonate-{uuid.uuid4().hex[:8]}", boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=bucket)
    with ExitStack() as stack:
        rabbitmq = RabbitMQ()
        stack.callback(rabbitmq.end)
        machines = Machines(folder, postgresql, rabbitmq.url, client, bucket)
        stack.callback(machines.end)
        machines.shared |= {"TINY_FOLDER": str(folder), "OMP_NUM_THREADS": "1"}
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in machines.shared.items():
            patch.setenv(name, value)
        (port,) = free_ports(1)
        machines.start("daemon", *_MODULES)
        machines.start("metrics", "--port", str(port))
        prometheus = Prometheus([port])
        stack.callback(prometheus.end)
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(folder / "migrating")))
        ports = [urlsplit(url).port for url in (endpoint, rabbitmq.url)]
        ports = [int(each or 0) for each in (*ports, postgresql["RESONATE_POSTGRES_PORT"])]
        made = Cluster(machines, instance, prometheus, ports)
        made.until(
            "the daemon to be watched",
            lambda: prometheus.value("resonate_daemon_heartbeat_age_seconds < 60") is not None,
        )
        yield made


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[Cluster]:
    """With nothing that runs, and none of the alerts that end with a test before."""
    for name in ("go", "begun", "ended"):
        (cluster.folder / name).unlink(missing_ok=True)
    yield cluster
    cluster.let_go()
    for machine in cluster.machines.all[2:]:
        machine.end()


def test_a_connection_to_the_database_that_was_cut_is_given_up_after_two_minutes(cluster: Cluster) -> None:
    """As the kernel is told: an answer that never comes is asked after, and a word that is not taken given up."""
    storage: Any = cluster.instance.run_storage
    with storage.connect() as theirs, transaction(cluster.machines.shared["RESONATE_DATABASE"]) as ours:
        for each in (theirs, ours):
            with socket.socket(fileno=os.dup(each.connection.dbapi_connection.fileno())) as its:
                idle, every, tries, untaken = (
                    its.getsockopt(socket.IPPROTO_TCP, option)
                    for option in (
                        *(socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT),
                        socket.TCP_USER_TIMEOUT,
                    )
                )
            assert idle + every * tries == 120
            assert untaken == 120_000  # milliseconds


def test_what_lack_of_memory_kills_is_carried_out_again(fresh: Cluster) -> None:
    """By SIGKILL to the process that carries out the run, which is all that the kernel does then."""
    worker = fresh.machines.start("run-worker")
    run = fresh.ask()
    fresh.until("the run to begin", lambda: bool(fresh.begun()))
    ((_, process),) = fresh.begun()
    os.kill(process, signal.SIGKILL)
    seconds = fresh.until("the alert", fresh.silent)
    seconds += fresh.until("the run to be tried again", lambda: len(fresh.begun()) == 2)
    print(f"killed by lack of memory: at work again after {seconds:.0f} s")
    fresh.let_go()
    fresh.nothing_is_left()
    again = fresh.again(run)
    assert again is not None
    assert (fresh.status(run), again.status) == (Status.FAILURE, Status.SUCCESS)
    assert "it was killed, or stands still" in fresh.reason(run)
    assert [each for each, _ in fresh.ended()] == [again.run_id]
    assert worker.process.poll() is None


def test_a_host_that_is_cut_off_for_a_minute_comes_back_to_a_run_that_others_have_taken(
    fresh: Cluster,
) -> None:
    host = fresh.host("far")
    try:
        worker = fresh.machines.start("run-worker", host=host)
        run = fresh.ask()
        fresh.until("the run to begin", lambda: bool(fresh.begun()))
        fresh.machines.start("run-worker")
        host.cut()
        cut_at = time.monotonic()
        fresh.until("the alert", fresh.silent)
        fresh.until("the run to be tried elsewhere", lambda: len(fresh.begun()) == 2)
        print(f"cut off: at work elsewhere after {time.monotonic() - cut_at:.0f} s")
        time.sleep(max(0.0, 60 - (time.monotonic() - cut_at)))
        host.mend()
        seconds = fresh.until("it to show signs of life again", lambda: bool(fresh.beating_on("far")))
        print(f"back: shows signs of life after {seconds:.0f} s")
        fresh.let_go()
        fresh.until("both to end", lambda: len(fresh.ended()) == 2)
        fresh.nothing_is_left()
        again = fresh.again(run)
        assert again is not None
        assert again.status == Status.SUCCESS
        assert fresh.status(run) == Status.SUCCESS  # what it came to, though it was taken for dead
        assert sorted(each for each, _ in fresh.ended()) == sorted([run, again.run_id])
        assert fresh.again(again.run_id) is None
        fresh.machines.all[-1].end()
        after = fresh.ask()
        fresh.until("it to take the next run", lambda: fresh.status(after) == Status.SUCCESS)
        assert worker.process.poll() is None
    finally:
        host.end()


def test_a_host_that_comes_back_after_an_hour_does_no_harm(fresh: Cluster) -> None:
    """An hour by the database: its signs of life are moved back, and servers have given its connections up."""
    host = fresh.host("far")
    try:
        worker = fresh.machines.start("run-worker", host=host)
        run = fresh.ask()
        fresh.until("the run to begin", lambda: bool(fresh.begun()))
        host.cut()
        os.killpg(worker.process.pid, signal.SIGSTOP)
        host.forget()
        fresh.machines.asked("UPDATE heartbeats SET beat_at = beat_at - 3600 WHERE host = 'far' RETURNING id")
        fresh.machines.start("run-worker")
        fresh.until("the run to be tried elsewhere", lambda: len(fresh.begun()) == 2)
        fresh.let_go()
        fresh.until("it to end", lambda: len(fresh.ended()) == 1)
        fresh.nothing_is_left()
        assert "no sign of life for 36" in fresh.reason(run)
        os.killpg(worker.process.pid, signal.SIGCONT)
        host.mend()
        seconds = fresh.until("the one that came back to end", lambda: len(fresh.ended()) == 2)
        seconds += fresh.until("its run to end", lambda: fresh.status(run) == Status.SUCCESS)
        print(f"back after an hour: its run ends after {seconds:.0f} s")
        fresh.nothing_is_left()
        again = fresh.again(run)
        assert again is not None
        assert again.status == Status.SUCCESS
        assert fresh.again(again.run_id) is None
        fresh.machines.all[-1].end()
        after = fresh.ask()
        seconds = fresh.until("it to take the next run", lambda: fresh.status(after) == Status.SUCCESS)
        print(f"back after an hour: takes the next run after {seconds:.0f} s more")
    finally:
        host.end()


def test_clocks_that_are_ten_minutes_wrong_take_nobody_for_dead(fresh: Cluster) -> None:
    clock = fresh.folder / "clock"
    workers = [fresh.machines.start("run-worker", **_clock(clock, minutes)) for minutes in (10, -10)]
    (port,) = free_ports(1)
    fresh.machines.start("metrics", "--port", str(port), **_clock(clock, 10))
    watching = Prometheus([port])
    try:
        runs = [fresh.ask(), fresh.ask()]
        fresh.until("both to begin", lambda: len(fresh.begun()) == 2)
        time.sleep(45)  # the dead are told after 40
        assert [fresh.status(run) for run in runs] == [Status.STARTED] * 2
        waiting = fresh.ask()
        (killed, process), (other, _) = fresh.begun()
        os.kill(process, signal.SIGKILL)
        fresh.until("the run to be tried again", lambda: fresh.again(killed) is not None)
        fresh.let_go()
        fresh.nothing_is_left()
        again = fresh.again(killed)
        assert again is not None
        assert [fresh.status(run) for run in (again.run_id, other, waiting)] == [Status.SUCCESS] * 3
        for each in (watching, fresh.prometheus):
            assert not each.fired() & {"ResonateNoDaemon", "ResonateSensorLags", "ResonateWaitsLong"}
            assert each.value("max_over_time(resonate_queue_oldest_age_seconds[5m])") < 300  # type: ignore[operator]
            assert each.value("resonate_daemon_heartbeat_age_seconds") < 60  # type: ignore[operator]
        assert [worker.process.poll() for worker in workers] == [None, None]
    finally:
        watching.end()


def test_a_worker_whose_disk_is_full_leaves_runs_to_those_with_room(fresh: Cluster) -> None:
    disk, many = fresh.folder / "small disk", len(fresh.machines.all)
    disk.mkdir()
    for number in (many, many + 1):
        (fresh.folder / f"machine-{number}").mkdir()
        (fresh.folder / f"machine-{number}" / "home").symlink_to(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    (port,) = free_ports(1)
    try:
        worker = fresh.machines.start("run-worker", RESONATE_KEEP_FREE_GIB="0.01")
        fresh.machines.start("metrics", "--port", str(port))
        watching = Prometheus([port])
        try:
            fresh.until(
                "the host to be watched", lambda: watching.value("resonate_disk_free_bytes") is not None
            )
            _fill(disk / "ballast")
            fresh.let_go()
            run = fresh.ask()
            fresh.until("the run to be left", lambda: f"run {run} is left to other workers" in worker.log)
            home = 'ALERTS{alertname="ResonateDiskNearlyFull",alertstate="firing",place="home"}'
            fresh.until("the alert", lambda: watching.value(home) == 1)
            other = fresh.machines.start("run-worker")
            fresh.until("another to carry it out", lambda: fresh.status(run) == Status.SUCCESS)
            other.end()
            (disk / "ballast").unlink()
            after = fresh.ask()
            fresh.until("it to take runs again", lambda: fresh.status(after) == Status.SUCCESS)
            assert [each for each, _ in fresh.begun()] == [run, after]
            fresh.nothing_is_left()
            fresh.until("that alert to be silent", lambda: watching.value(home) is None)
        finally:
            watching.end()
    finally:
        for machine in fresh.machines.all[many : many + 2]:
            machine.end()
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_daemon_whose_clock_is_ten_minutes_slow_is_one_and_tries_again_what_was_killed(
    fresh: Cluster,
) -> None:
    """The last of the cases: it takes over from the cluster's own daemon."""
    clock = _clock(fresh.folder / "clock", -10)
    daemon = fresh.machines.start("daemon", *_MODULES, **clock)
    fresh.until("it to stand by", lambda: "standing by" in daemon.log)
    fresh.machines.all[0].end()
    fresh.until("it to be at work", lambda: "at work" in daemon.log.splitlines())
    fresh.machines.start("run-worker")
    run = fresh.ask()
    fresh.until("the run to begin", lambda: bool(fresh.begun()))
    os.kill(fresh.begun()[0][1], signal.SIGKILL)
    fresh.until("the run to be tried again", lambda: len(fresh.begun()) == 2)
    fresh.let_go()
    fresh.nothing_is_left()
    again = fresh.again(run)
    assert again is not None
    assert again.status == Status.SUCCESS
    beats = fresh.instance.get_daemon_heartbeats().values()
    assert min(time.time() - beat.timestamp for beat in beats) > 500
    assert fresh.prometheus.value("resonate_daemon_heartbeat_age_seconds") < 60  # type: ignore[operator]


def _fill(file: Path) -> None:
    """A disk, to its last block."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1 << 16))


def _clock(folder: Path, minutes: int) -> dict[str, str]:
    """The environment of a process whose clock is wrong by so much; clocks that only count go right."""
    folder.mkdir(exist_ok=True)
    # libfaketime 0.9.10 takes the clock that Python sleeps by for the one that is wrong.
    (folder / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    )
    return {
        "LD_PRELOAD": str(required("faketime")),
        "FAKETIME": f"{60 * minutes:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }
