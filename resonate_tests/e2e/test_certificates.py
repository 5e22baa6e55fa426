"""TLS to PostgreSQL, RabbitMQ and S3: each is held to its name and to who signed it. Where a certificate has
expired, every process tells so in one line, nothing is lost, and it goes on once there is a good one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext
from moto.server import ThreadedMotoServer

from resonate_assets.run_queue.launcher import AWAY, BrokerRunLauncher, app_of
from resonate_assets.run_queue.queues import QUEUE_TAG
from resonate_resources.storage.database import database
from resonate_tests.assets.run_queue.tiny import tiny
from resonate_tests.certificates import Authority, Certificate
from resonate_tests.machines import REPOSITORY
from resonate_tests.postgresql_server import PostgreSQL
from resonate_tests.rabbitmq_server import RabbitMQ, free_ports
from resonate_tests.s3_proxy import S3Proxy

EXPIRED = "certificate has expired"
Status = dg.DagsterRunStatus

pytestmark = pytest.mark.timeout(900)


class Servers:
    """All three, with certificates of an authority that nobody else knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.good = self.authority.sign("good")
        self.expired = self.authority.sign("expired", expired=True)
        self._moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.s3 = S3Proxy(f"http://{host}:{port}", self.good)
        self.postgresql = PostgreSQL(free_ports(1)[0])
        self.rabbitmq = RabbitMQ(self.good)
        self.environment = {
            **self.postgresql.environment,
            "RESONATE_DATABASE": "postgresql+psycopg2://postgres:{RESONATE_POSTGRES_PASSWORD}"
            "@127.0.0.1:{RESONATE_POSTGRES_PORT}/postgres?sslmode=verify-full".format(
                **self.postgresql.environment
            ),
            "RESONATE_BROKER": self.rabbitmq.tls_url,
            "RESONATE_STORAGE": "s3://library/home",
            "RESONATE_S3_ENDPOINT": self.s3.url,
            "RESONATE_HOME": str(folder / "home"),
            "RESONATE_INBOX": "",
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "TINY_FOLDER": str(folder),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.authority.certificate),
            "SSL_CERT_FILE": str(self.authority.certificate),
            "AWS_CA_BUNDLE": str(self.authority.certificate),
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for made in ("home", "dagster_home"):
            (folder / made).mkdir()
        (folder / "home" / ".resonate-home").touch()
        (folder / "go").touch()
        shutil.copy(REPOSITORY / "docker" / "cluster" / "dagster.yaml", folder / "dagster_home")

    def to_rabbitmq(self, certificate: Certificate) -> None:
        self.rabbitmq.stop()
        self.rabbitmq.certificate = certificate
        self.rabbitmq.start()

    def end(self) -> None:
        self.rabbitmq.end()
        self.postgresql.end()
        self.s3.end()
        self._moto.stop()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = Servers(tmp_path_factory.mktemp("tls"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        try:
            made.postgresql.show(made.good)
            boto3.client("s3", endpoint_url=made.s3.url).create_bucket(Bucket="library")
            subprocess.run([sys.executable, "-m", "dagster", "instance", "migrate"], check=True, timeout=120)
            yield made
        finally:
            made.end()


@pytest.fixture(autouse=True)
def good_again(servers: Servers) -> Iterator[None]:
    """Whatever becomes of a test."""
    yield
    if servers.rabbitmq.certificate != servers.good:
        servers.to_rabbitmq(servers.good)
    servers.rabbitmq.start_again()
    if servers.postgresql.certificate != servers.good:
        servers.postgresql.show(servers.good)
    servers.s3.show(servers.good)


@pytest.fixture
def worker(servers: Servers, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A worker at work; gives what it has said."""
    log = tmp_path / "worker.log"
    with log.open("wb") as told:
        command = [sys.executable, "-m", "resonate_studio.cli", "run-worker"]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=told, stderr=told, start_new_session=True)
    yield log.read_text
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def told_by(*command: str) -> tuple[int, str]:
    """Exit code, and what was said."""
    run = subprocess.run(
        [sys.executable, "-m", "resonate_studio.cli", *command],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def until(condition: Callable[[], object], told: Callable[[], str], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, told()[-3000:]
        time.sleep(0.5)


def launched(instance: dg.DagsterInstance) -> str:
    origin = dg.reconstructable(tiny).get_python_origin()
    run = instance.create_run_for_job(
        tiny, job_code_origin=origin, status=Status.STARTING, tags={QUEUE_TAG: "cpu"}
    )
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def hand_over_again(instance: dg.DagsterInstance) -> list[str]:
    assert isinstance(instance.run_launcher, BrokerRunLauncher)
    return instance.run_launcher.hand_over_again()


def line_with(text: str, told: str) -> str:
    """The one line that says it."""
    assert "Traceback" not in told
    return next(line for line in told.splitlines() if text in line)


def test_a_run_goes_over_tls_all_the_way(servers: Servers, worker: Callable[[], str]) -> None:
    with dg.DagsterInstance.get() as instance:
        run = launched(instance)
        until(lambda: status(instance, run) == Status.SUCCESS, worker)
    code, told = told_by("health")
    assert (code, told) == (0, told), told
    assert code == 0
    _, told = told_by("doctor")
    assert "amqps://guest:**@127.0.0.1" in told
    assert servers.s3.url in told


def test_a_server_whose_certificate_is_anothers_or_of_nobody_known_is_not_spoken_to(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.to_rabbitmq(servers.authority.sign("another", host="127.0.0.2"))
    with pytest.raises(AWAY, match="IP address mismatch"):
        app_of(servers.rabbitmq.tls_url).connection_for_write().ensure_connection(max_retries=0)
    servers.to_rabbitmq(servers.good)
    app_of(servers.rabbitmq.tls_url).connection_for_write().ensure_connection(max_retries=0)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(AWAY, match="unable to get local issuer certificate"):
        app_of(servers.rabbitmq.tls_url).connection_for_write().ensure_connection(max_retries=0)


def test_an_expired_certificate_of_the_broker_is_told_and_its_runs_wait(
    servers: Servers, worker: Callable[[], str]
) -> None:
    until(lambda: "ready" in worker(), worker)
    with dg.DagsterInstance.get() as instance:
        servers.to_rabbitmq(servers.expired)
        run = launched(instance)
        events = [str(each.message) for each in instance.all_logs(run)]
        line = next(line for line in events if EXPIRED in line)
        assert "the broker can't be reached at amqps://guest:**@127.0.0.1:" in line
        assert "\n" not in line
        until(lambda: EXPIRED in worker(), worker)
        assert "127.0.0.1" in line_with(EXPIRED, worker())
        assert EXPIRED in line_with("broker", told_by("doctor")[1])
        assert status(instance, run) == Status.STARTING

        servers.to_rabbitmq(servers.good)
        until(lambda: hand_over_again(instance) or status(instance, run) == Status.SUCCESS, worker)
        until(lambda: status(instance, run) == Status.SUCCESS, worker)


def test_an_expired_certificate_of_the_database_is_told_and_its_runs_wait(
    servers: Servers, worker: Callable[[], str]
) -> None:
    until(lambda: "ready" in worker(), worker)
    with dg.DagsterInstance.get() as instance:
        servers.rabbitmq.stop()
        run = launched(instance)
        servers.postgresql.show(servers.expired)
        database(os.environ["RESONATE_DATABASE"]).dispose()
        for command in (["health"], ["daemon"]):
            code, told = told_by(*command)
            assert code == 1
            line = line_with(EXPIRED, told)
            assert f"127.0.0.1:{os.environ['RESONATE_POSTGRES_PORT']}" in line
            assert len(told.strip().splitlines()) <= 2, told
        assert EXPIRED in line_with("database", told_by("doctor")[1])

        servers.rabbitmq.start()
        servers.postgresql.show(servers.good)
        until(lambda: hand_over_again(instance) or status(instance, run) == Status.SUCCESS, worker)
        until(lambda: status(instance, run) == Status.SUCCESS, worker)
        assert "Traceback" not in worker()


def test_an_expired_certificate_of_s3_is_told(servers: Servers) -> None:
    servers.s3.show(servers.expired)
    code, told = told_by("health")
    assert code == 1
    assert servers.s3.url in line_with(EXPIRED, told)
    assert EXPIRED in line_with("storage", told_by("doctor")[1])
    servers.s3.show(servers.good)
    assert told_by("health")[0] == 0
