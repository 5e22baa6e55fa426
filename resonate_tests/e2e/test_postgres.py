"""Production's Dagster instance: a track processed with everything Dagster knows in a real PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2  # type: ignore[import-untyped]
import pytest
import soundfile as sf
import yaml  # type: ignore[import-untyped]

from resonate_assets.settings import Settings
from resonate_studio.home import open_instance
from resonate_studio.processing import Processor
from resonate_tests.peer_encoders import Floats
from resonate_tests.programs import required

REPOSITORY = Path(__file__).parents[2]


def _account() -> dict[str, Any]:
    """Who runs the server, as arguments of subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise LookupError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="module")
def postgresql(free_port: int) -> Iterator[dict[str, str]]:
    """A PostgreSQL server on 127.0.0.1; the environment that tells docker/dagster.yaml where it is."""
    programs = required("postgresql")
    account = _account()
    # Not in pytest's own directory: another user can't get below it.
    directory = Path(tempfile.mkdtemp(prefix="resonate-postgresql-"))
    password = secrets.token_hex(16)
    (directory / "password").write_text(password)
    if account:
        os.chown(directory, account["user"], account["group"])
        os.chown(directory / "password", account["user"], account["group"])
    try:
        subprocess.run(
            [
                *(programs / "initdb", "--pgdata", directory / "data", "--username", "resonate"),
                *("--auth", "scram-sha-256", "--pwfile", directory / "password"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=directory,
            **account,
        )
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *(
                        programs / "postgres",
                        "-D",
                        directory / "data",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        str(free_port),
                    ),
                    *(
                        "-k",
                        directory,
                        "-F",
                    ),  # socket beside the data; no fsync: nothing here outlives the test
                ],
                stdout=log,
                stderr=log,
                cwd=directory,
                **account,
            )
        try:
            environment = {
                "RESONATE_POSTGRES_HOST": "127.0.0.1",
                "RESONATE_POSTGRES_PORT": str(free_port),
                "RESONATE_POSTGRES_USER": "resonate",
                "RESONATE_POSTGRES_PASSWORD": password,
                "RESONATE_POSTGRES_DATABASE": "postgres",
            }
            _wait_for(server, environment, directory / "log")
            yield environment
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(directory)


def connect(environment: dict[str, str]) -> Any:
    return psycopg2.connect(
        host=environment["RESONATE_POSTGRES_HOST"],
        port=environment["RESONATE_POSTGRES_PORT"],
        user=environment["RESONATE_POSTGRES_USER"],
        password=environment["RESONATE_POSTGRES_PASSWORD"],
        dbname=environment["RESONATE_POSTGRES_DATABASE"],
    )


def _wait_for(server: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            connect(environment).close()
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        else:
            return


def test_a_track_is_processed_on_an_instance_in_postgresql(
    postgresql: dict[str, str], clips: list[Floats], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster_home = tmp_path / "dagster_home"
    dagster_home.mkdir()
    shutil.copy(REPOSITORY / "docker" / "dagster.yaml", dagster_home)
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    for name, value in postgresql.items():
        monkeypatch.setenv(name, value)
    sf.write(tmp_path / "song.wav", clips[0], 44100)

    settings = Settings(tmp_path, str(tmp_path / "storage"), inbox="", bucket="", s3_endpoint=None)
    with open_instance(settings) as instance:
        done = Processor(settings, instance).process(tmp_path / "song.wav")
        assert done.error is None
        assert instance.get_dynamic_partitions("tracks") == [done.track]

    with connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT status FROM runs")
        assert cursor.fetchall() == [("SUCCESS",)]
        cursor.execute(
            "SELECT count(*) FROM event_logs WHERE dagster_event_type = %s AND partition = %s",
            (dg.DagsterEventType.ASSET_MATERIALIZATION.value, done.track),
        )
        assert cursor.fetchone() == (11,)
    assert not list(dagster_home.rglob("*.db")), "something was kept in SQLite after all"


def test_production_differs_from_one_machine_in_its_database_only() -> None:
    production = yaml.safe_load((REPOSITORY / "docker" / "dagster.yaml").read_text())
    one_machine = yaml.safe_load((REPOSITORY / "dagster_home" / "dagster.yaml").read_text())
    del production["storage"]
    assert production == one_machine
