"""A PostgreSQL server for as long as a benchmark lasts."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from resonate_tests.programs import required


@contextmanager
def postgresql_server(port: int) -> Iterator[dict[str, str]]:
    """Serves on 127.0.0.1, without waiting for the disk; gives the environment of docker/dagster.yaml."""
    programs = required("postgresql")
    account: dict[str, Any] = {}
    directory = Path(tempfile.mkdtemp(prefix="resonate-postgresql-"))
    if os.geteuid() == 0:  # as whom PostgreSQL refuses to run
        user = pwd.getpwnam("postgres")
        account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(directory, user.pw_uid, user.pw_gid)
    password = secrets.token_hex(16)
    secret = directory / "password"
    secret.write_text(password)
    secret.chmod(0o644)
    environment = {
        "RESONATE_POSTGRES_HOST": "127.0.0.1",
        "RESONATE_POSTGRES_PORT": str(port),
        "RESONATE_POSTGRES_USER": "resonate",
        "RESONATE_POSTGRES_PASSWORD": password,
        "RESONATE_POSTGRES_DATABASE": "postgres",
    }
    try:
        arguments = ["--pgdata", directory / "data", "--username", "resonate", "--pwfile", secret]
        arguments += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(
            [programs / "initdb", *arguments], check=True, capture_output=True, cwd=directory, **account
        )
        options = ["-D", directory / "data", "-h", "127.0.0.1", "-p", str(port), "-k", directory, "-F"]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", *options], stdout=log, stderr=log, cwd=directory, **account
            )
        try:
            _wait(port, password)
            yield environment
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for who is still connected
            server.wait(60)
    finally:
        shutil.rmtree(directory)


def _wait(port: int, password: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(
                host="127.0.0.1", port=port, user="resonate", password=password, dbname="postgres"
            ).close()
            return
        time.sleep(0.2)
    raise TimeoutError("PostgreSQL did not start")
