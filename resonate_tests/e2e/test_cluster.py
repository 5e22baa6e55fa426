"""Many machines: two daemons, workers that are killed, one PostgreSQL, one RabbitMQ, one S3. Each track once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile as sf

from resonate_tests.e2e.test_postgres import postgresql
from resonate_tests.e2e.test_s3 import bucket, client, endpoint
from resonate_tests.machines import Machines, short_song
from resonate_tests.rabbitmq_server import RabbitMQ

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["bucket", "client", "endpoint", "postgresql"]

TRACKS = 3


@pytest.fixture
def machines(postgresql: dict[str, str], client: S3Client, bucket: str, tmp_path: Path) -> Iterator[Machines]:
    rabbitmq = RabbitMQ()
    try:
        made = Machines(tmp_path, postgresql, rabbitmq.url, client, bucket)
        yield made
        made.end()
    finally:
        rabbitmq.end()


@pytest.mark.timeout(1800)  # seven processes and their tracks, on two cores
def test_each_track_is_made_once_though_a_worker_and_the_daemon_die(machines: Machines) -> None:
    for number in range(TRACKS):
        sf.write(machines.inbox / f"song {number}.wav", short_song(number).T, 44100)
    first = machines.start("daemon")
    machines.wait_for("the daemon to work", lambda: "at work" in first.log)
    second, worker, _ = machines.start("daemon"), machines.start("run-worker"), machines.start("run-worker")
    machines.wait_for("a second one that stands by", lambda: "standing by" in second.log)
    machines.wait_for("that one to have a run", lambda: "received" in worker.log)

    worker.kill()
    first.kill()
    machines.wait_for("the second daemon to take over", lambda: "at work" in second.log.splitlines())
    machines.start("run-worker")
    machines.wait_for("all tracks to be exported", lambda: len(machines.exported()) == TRACKS)
    machines.wait_for("the last run to end", machines.idle)

    per_track = machines.asked(
        "SELECT partition, count(*) FILTER (WHERE status = 'SUCCESS') FROM runs"
        " WHERE pipeline_name = 'process_track' GROUP BY partition"
    )
    assert dict(per_track) == dict.fromkeys(machines.exported(), 1)
    assert machines.statuses()["process_track", "FAILURE"] <= 1  # the one that was at work
    assert machines.attempts("raw_track") == dict.fromkeys(machines.exported(), 1)
