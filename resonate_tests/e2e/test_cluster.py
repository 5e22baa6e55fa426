"""Many machines: two daemons, workers that are killed, one PostgreSQL, one RabbitMQ, one S3. Each track once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.recording import Samples
from resonate_tests.e2e.test_postgres import REPOSITORY, connect, postgresql, url_of
from resonate_tests.e2e.test_s3 import bucket, client, endpoint, keys_in
from resonate_tests.rabbitmq_server import RabbitMQ

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["bucket", "client", "endpoint", "postgresql"]

TRACKS = 3
_PATIENCE_SECONDS = 600.0


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMQ]:
    server = RabbitMQ()
    yield server
    server.end()


class Machine:
    """As far as files go: what it shares with others are a database, a broker, a bucket and an inbox."""

    def __init__(self, folder: Path, shared: dict[str, str], *command: str) -> None:
        (folder / "dagster_home").mkdir(parents=True)
        shutil.copy(REPOSITORY / "docker" / "cluster" / "dagster.yaml", folder / "dagster_home")
        self._log = folder / "log"
        environment = {
            **os.environ,
            **shared,
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "RESONATE_HOME": str(folder / "home"),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "resonate_studio.cli", *command],
                env=environment,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        """Power is gone."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def wait_for(what: str, condition: Callable[[], bool], machines: list[Machine]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(each.log[-2000:] for each in machines)
            pytest.fail(f"{what}: not within {_PATIENCE_SECONDS:.0f} s\n{logs}")
        time.sleep(1)


def song(number: int) -> Samples:
    """Six seconds: a bass, a chord and a pulse."""
    rate, frames = 44100, 6 * 44100
    at = np.arange(frames) / rate
    tones = sum(np.sin(2 * np.pi * hertz * (1 + number / 12) * at) for hertz in (55.0, 220.0, 277.2, 329.6))
    pulse = np.random.default_rng(number).normal(size=frames) * np.exp(-30 * (at % 0.5))
    mono = 0.1 * tones + 0.1 * pulse
    return np.stack([mono, 0.8 * mono]).astype(np.float32)


def test_each_track_is_made_once_though_a_worker_and_the_daemon_die(
    postgresql: dict[str, str],
    rabbitmq: RabbitMQ,
    endpoint: str,
    client: S3Client,
    bucket: str,
    tmp_path: Path,
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shared = {
        **postgresql,
        "RESONATE_DATABASE": url_of(postgresql),
        "RESONATE_STORAGE": f"s3://{bucket}/library",
        "RESONATE_S3_ENDPOINT": endpoint,
        "RESONATE_BROKER": rabbitmq.url,
        "RESONATE_INBOX": str(inbox),
        "RESONATE_QUEUES": "cpu",
    }
    (tmp_path / "migrating").mkdir()
    shutil.copy(REPOSITORY / "docker" / "cluster" / "dagster.yaml", tmp_path / "migrating")
    subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "migrate"],
        env={**os.environ, **shared, "DAGSTER_HOME": str(tmp_path / "migrating")},
        check=True,
        capture_output=True,
    )
    for number in range(TRACKS):
        sf.write(inbox / f"song {number}.wav", song(number).T, 44100)

    machines: list[Machine] = []

    def start(*command: str) -> Machine:
        machines.append(Machine(tmp_path / f"machine-{len(machines)}", shared, *command))
        return machines[-1]

    def statuses() -> Counter[tuple[str, str]]:
        with connect(postgresql) as database, database.cursor() as cursor:
            cursor.execute("SELECT pipeline_name, status FROM runs")
            return Counter(cursor.fetchall())

    def exported() -> set[str]:
        """Tracks whose exports count."""
        keys = keys_in(client, bucket, "library/artefacts/exports/")
        return {key.split("/")[3] for key in keys if key.endswith("/manifest.json") and key.count("/") == 4}

    try:
        first = start("daemon")
        wait_for("the daemon to work", lambda: "at work" in first.log, machines)
        second = start("daemon")
        workers = [start("run-worker") for _ in range(2)]
        wait_for("a second one that stands by", lambda: "standing by" in second.log, machines)
        wait_for("a run at work", lambda: ("process_track", "STARTED") in statuses(), machines)

        workers[0].kill()  # if it had none, the other has
        first.kill()
        wait_for("the second daemon to take over", lambda: "at work" in second.log.splitlines(), machines)
        start("run-worker")
        wait_for("all tracks to be exported", lambda: len(exported()) == TRACKS, machines)
        wait_for(
            "the last run to end",
            lambda: not {status for _, status in statuses()} & {"QUEUED", "STARTING", "STARTED"},
            machines,
        )
    finally:
        for machine in machines:
            machine.end()

    with connect(postgresql) as database, database.cursor() as cursor:
        cursor.execute(
            "SELECT partition, count(*) FILTER (WHERE status = 'SUCCESS') FROM runs"
            " WHERE pipeline_name = 'process_track' GROUP BY partition"
        )
        assert dict(cursor.fetchall()) == dict.fromkeys(exported(), 1)
    made = keys_in(client, bucket, "library/artefacts/raw_track/")
    attempts = {tuple(key.split("/")[3:5]) for key in made if key.count("/") >= 5}
    assert len(attempts) == TRACKS  # each decoded once, or found in the cache by who came after
