"""PostgreSQL and RabbitMQ restart, are away for a minute, and a disk is full, while runs are at work: all processes
go on by themselves, each run is done once or tells why not, nothing is held for ever, and the right alert fires."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from resonate_tests.e2e.test_s3 import endpoint
from resonate_tests.machines import Machines
from resonate_tests.postgresql_server import PostgreSQL
from resonate_tests.prometheus_server import DISK, Prometheus
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports

__all__ = ["endpoint"]

AWAY_SECONDS = 60.0
FULL_SECONDS = 45.0
AT_ONCE = 3
"""Runs at each fault, for two workers."""
BUCKET = "paced"


class Cluster:
    """A daemon, two workers, and what watches them; its runs are those of `paced`."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.postgresql = PostgreSQL(free_ports(1)[0], small_disk_mib=160)
        try:
            self.rabbitmq = RabbitMQ()
        except BaseException:
            self.postgresql.end()
            raise
        try:
            self._start(folder, endpoint)
        except BaseException:
            self.end()
            raise

    def _start(self, folder: Path, endpoint: str) -> None:
        s3 = boto3.client("s3", endpoint_url=endpoint)
        s3.create_bucket(Bucket=BUCKET)
        self.asked = folder / "asked"
        self.asked.mkdir()
        environment, broker = self.postgresql.environment, self.rabbitmq.url
        self.machines = machines = Machines(folder, environment, broker, s3, BUCKET)
        machines.shared |= {"PACED_FOLDER": str(self.asked), "RESONATE_POOL_CORES": "2"}
        (port,) = free_ports(1)
        home = folder / "machine-0" / "home"
        home.mkdir(parents=True)
        (home / ".resonate-home").touch()
        self.metrics = machines.start("metrics", "--port", str(port))
        modules = ("resonate_assets.definitions", "resonate_tests.faults.paced")
        self.daemon = machines.start("daemon", *(word for each in modules for word in ("--module", each)))
        self.workers = [machines.start("run-worker") for _ in range(2)]
        self.prometheus = Prometheus([port])
        # Dagster writes down in two steps that there is a new sensor, and does not get over a fault between them.
        machines.wait_for(
            "sensors to have ticked",
            lambda: all(
                f"Sensor {name} skipped" in self.daemon.log for name in ("dead_runs", "shown_tracks")
            ),
        )

    def ask(self, many: int = AT_ONCE) -> set[str]:
        names = {f"{time.time_ns()}-{number}" for number in range(many)}
        for name in names:
            (self.asked / name).touch()
        return names

    def runs(self, names: set[str]) -> list[tuple[str, str]]:
        """(name, status) of the runs of these names."""
        found = self.machines.asked(
            "SELECT value, status FROM runs JOIN run_tags USING (run_id)"
            " WHERE pipeline_name = 'paced' AND key = 'dagster/run_key'"
        )
        return [(name, status) for name, status in found if name in names]

    def at_work(self, many: int = 2) -> set[str]:
        """Ask for runs, and wait until so many are at work."""
        names = self.ask()

        def begun() -> bool:
            return [status for _, status in self.runs(names)].count("STARTED") >= many

        self.machines.wait_for("runs to begin", begun, 120)
        return names

    def _failed_steps(self) -> set[str]:
        """Names of runs of which a step failed and told why: to try these again is the automation's matter."""
        found = self.machines.asked(
            "SELECT name.value FROM run_tags AS name JOIN run_tags AS reason USING (run_id)"
            " WHERE name.key = 'dagster/run_key' AND reason.key = 'dagster/failure_reason'"
            " AND reason.value = 'STEP_FAILURE'"
        )
        return {name for (name,) in found}

    def until_done(self, names: set[str], seconds: float = 600, *, or_failed: bool = False) -> None:
        """Each is done, and done once, or else a step of it failed; nothing is left at work, nor a place in a pool
        taken."""

        def done() -> bool:
            made = {name for name, status in self.runs(names) if status == "SUCCESS"}
            return names <= made | (self._failed_steps() if or_failed else set())

        self.machines.wait_for("runs to be done", done, seconds)
        self.machines.wait_for("the last run to end", self.machines.idle, 60)
        made = [name for name, status in self.runs(names) if status == "SUCCESS"]
        assert len(made) == len(set(made))
        held = (  # a heartbeat that could not be ended counts for half a minute
            "SELECT count(*) FROM heartbeats WHERE kind IN ('run', 'pool')"
            " AND extract(epoch FROM clock_timestamp()) - beat_at < 30"
        )
        self.machines.wait_for("places to be free", lambda: self.machines.asked(held) == [(0,)], 60)
        reasons = self.machines.asked(
            "SELECT coalesce(nullif(event::json->>'user_message', ''), event::json->'dagster_event'->>'message')"
            " FROM event_logs WHERE dagster_event_type = 'PIPELINE_FAILURE'"
        )
        assert all(reason and "\n" not in reason for (reason,) in reasons), reasons
        for machine in self.machines.all:
            assert machine.process.poll() is None, machine.log[-2000:]
        for worker in self.workers:
            assert "Traceback" not in worker.log

    def until_silent(self) -> None:
        """But that more than a quarter of an hour's runs failed: so they did, and it is told for the hour."""
        past = DISK | {"ResonateRunsFail"}
        try:
            self.prometheus.wait_for("alerts to be silent", lambda: not self.prometheus.firing() - past, 120)
        except AssertionError as late:
            raise AssertionError(self.prometheus.told()) from late

    def end(self) -> None:
        if hasattr(self, "machines"):
            self.machines.end()
        if hasattr(self, "prometheus"):
            self.prometheus.end()
        self.rabbitmq.end()
        self.postgresql.end()


@pytest.fixture(scope="module")
def cluster(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"), endpoint)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(autouse=True)
def recovered(cluster: Cluster) -> Iterator[None]:
    """Whatever becomes of a test."""
    yield
    cluster.rabbitmq.start_again()
    cluster.postgresql.start_again()
    cluster.postgresql.make_room()


@pytest.mark.timeout(1800)
def test_postgresql_restarts_in_the_midst_of_runs(cluster: Cluster) -> None:
    names = cluster.at_work()
    cluster.postgresql.stop()
    cluster.postgresql.start()
    cluster.until_done(names, or_failed=True)  # a step that is writing just then


@pytest.mark.timeout(1800)
def test_postgresql_is_away_for_a_minute(cluster: Cluster) -> None:
    cluster.until_silent()
    names = cluster.at_work()
    cluster.postgresql.stop()
    names |= cluster.ask(1)
    time.sleep(AWAY_SECONDS)
    assert "ResonateNotWatched" in cluster.prometheus.firing()
    cluster.postgresql.start()
    cluster.until_done(names, or_failed=True)
    cluster.until_silent()


@pytest.mark.timeout(1800)
def test_the_disk_of_postgresql_is_full_for_a_while(cluster: Cluster) -> None:
    names = cluster.at_work()
    cluster.postgresql.fill()
    names |= cluster.ask(1)
    time.sleep(FULL_SECONDS)
    assert "No space left on device" in (cluster.postgresql.folder / "log").read_text()
    cluster.postgresql.make_room()
    cluster.until_done(names, or_failed=True)
    cluster.until_silent()


@pytest.mark.timeout(1800)
def test_rabbitmq_restarts_in_the_midst_of_runs(cluster: Cluster) -> None:
    names = cluster.at_work()
    cluster.rabbitmq.stop()
    cluster.rabbitmq.start()
    cluster.until_done(names)


@pytest.mark.timeout(1800)
def test_rabbitmq_is_away_for_a_minute(cluster: Cluster) -> None:
    """Runs at work go on; of those that wait an alert tells: here they were asked for two hours earlier."""
    cluster.until_silent()
    names = cluster.at_work()
    cluster.rabbitmq.stop()
    names |= cluster.ask(1)
    time.sleep(AWAY_SECONDS)
    assert [status for _, status in cluster.runs(names)].count("SUCCESS") == 2
    cluster.machines.asked(
        "UPDATE runs SET create_timestamp = create_timestamp - interval '2 hours'"
        " WHERE status = 'STARTING' RETURNING run_id"
    )
    cluster.prometheus.wait_for("an alert", lambda: "ResonateWaitsLong" in cluster.prometheus.firing(), 60)
    cluster.rabbitmq.start()
    cluster.until_done(names)
    cluster.until_silent()
