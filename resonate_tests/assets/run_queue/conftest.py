"""A broker, an instance whose runs go through it, and runs of a job that takes as long as it is let."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher import LaunchRunContext

from resonate_assets.run_queue.launcher import BrokerRunLauncher
from resonate_assets.run_queue.queues import QUEUE_TAG
from resonate_assets.runs import PRIORITY_TAG
from resonate_tests.assets.run_queue.tiny import tiny
from resonate_tests.rabbitmq_server import RabbitMQ

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def server() -> Iterator[RabbitMQ]:
    rabbitmq = RabbitMQ()
    yield rabbitmq
    rabbitmq.end()


@pytest.fixture
def broker(server: RabbitMQ) -> Iterator[RabbitMQ]:
    """With empty queues."""
    yield server
    server.start_again()
    with Launched.app(server).connection_for_write() as connection:
        for queue in Launched.app(server).amqp.queues.values():
            queue(connection.default_channel).declare()
            queue(connection.default_channel).purge()


class Launched:
    """An instance in SQLite, whose runs a broker hands to workers."""

    def __init__(self, instance: dg.DagsterInstance, folder: Path) -> None:
        self.instance, self.folder = instance, folder
        assert isinstance(instance.run_launcher, BrokerRunLauncher)
        self.launcher = instance.run_launcher
        self._workers: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def app(server: RabbitMQ):  # type: ignore[no-untyped-def]
        from resonate_assets.run_queue.launcher import app_of

        return app_of(server.url)

    def run(self, priority: int = 0, queue: str = "cpu") -> str:
        """A run that waits to be launched; its id."""
        origin = dg.reconstructable(tiny).get_python_origin()
        tags = {PRIORITY_TAG: str(priority), QUEUE_TAG: queue}
        run = self.instance.create_run_for_job(
            tiny, job_code_origin=origin, status=dg.DagsterRunStatus.STARTING, tags=tags
        )
        return run.run_id

    def launch(self, run_id: str) -> None:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        self.launcher.launch_run(LaunchRunContext(run, None))

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"worker-{len(self._workers)}.log").open("wb") as log:
            command = [sys.executable, "-m", "resonate_studio.cli", "run-worker", *options]
            self._workers.append(
                subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY, start_new_session=True)
            )
        return self._workers[-1]

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def begun(self) -> list[tuple[str, int]]:
        """(run, process) in the order in which runs began."""
        file = self.folder / "begun"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(line.split()[0], int(line.split()[1])) for line in lines]

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.told()
            time.sleep(0.1)

    def told(self) -> str:
        return "\n".join(log.read_text()[-3000:] for log in self.folder.glob("worker-*.log"))

    def end(self) -> None:
        self.let_go()
        for worker in self._workers:
            if worker.poll() is None:
                worker.terminate()
        for worker in self._workers:
            try:
                worker.wait(60)
            except subprocess.TimeoutExpired:
                worker.kill()


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch, broker: str) -> None:
    """An instance whose runs go through a broker, as the environment has it."""
    home = folder / "dagster_home"
    home.mkdir()
    config = yaml.safe_load((REPOSITORY / "docker" / "cluster" / "dagster.yaml").read_text())
    del config["storage"]  # SQLite's instead of PostgreSQL
    (home / "dagster.yaml").write_text(yaml.safe_dump(config))
    for name, value in {
        "DAGSTER_HOME": str(home),
        "RESONATE_HOME": str(folder / "home"),
        "RESONATE_STORAGE": "",
        "RESONATE_DATABASE": "",
        "RESONATE_BROKER": broker,
        "TINY_FOLDER": str(folder),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def launched(broker: RabbitMQ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launched]:
    prepare(tmp_path, monkeypatch, broker.url)
    with dg.DagsterInstance.get() as instance:
        made = Launched(instance, tmp_path)
        yield made
        made.end()
