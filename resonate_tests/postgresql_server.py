"""A PostgreSQL server on 127.0.0.1, for tests: started, stopped, and started again with what it had on its disk."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from resonate_tests.certificates import Certificate
from resonate_tests.programs import required

_UP_SECONDS = 60.0
_TLS = ("server.pem", "server.key")


class PostgreSQL:
    """Without waiting for the disk: nothing here outlives a test."""

    def __init__(self, port: int, settings: Mapping[str, str] | None = None, small_disk_mib: int = 0) -> None:
        """settings: of postgresql.conf. small_disk_mib: data, but for the log of transactions, lie on a disk of
        that size, which takes root."""
        self._programs, self._account = required("postgresql"), _account()
        # Not in pytest's own directory: another user can't get below it.
        self.folder = Path(tempfile.mkdtemp(prefix="resonate-postgresql-"))
        self._disk, self._on_small_disk = self.folder / "disk", bool(small_disk_mib)
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "RESONATE_POSTGRES_HOST": "127.0.0.1",
            "RESONATE_POSTGRES_PORT": str(port),
            "RESONATE_POSTGRES_USER": "postgres",
            "RESONATE_POSTGRES_PASSWORD": secrets.token_hex(16),
            "RESONATE_POSTGRES_DATABASE": "postgres",
        }
        self.settings = dict(settings or {})
        self.certificate: Certificate | None = None
        secret = self.folder / "password"
        secret.write_text(self.environment["RESONATE_POSTGRES_PASSWORD"])
        try:
            self._disk.mkdir()
            if small_disk_mib:
                subprocess.run(
                    ["mount", "-t", "tmpfs", "-o", f"size={small_disk_mib}m", "tmpfs", self._disk], check=True
                )
            for place in (self.folder, self._disk, secret):
                self.give(place)
            self._run(
                *("initdb", "--pgdata", self._disk / "data", "--waldir", self.folder / "wal"),
                *("--username", "postgres", "--pwfile", secret, "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            )
            self.start()
        except BaseException:
            self.end()
            raise

    def give(self, place: Path) -> None:
        """Make it the server's own."""
        if self._account:
            os.chown(place, self._account["user"], self._account["group"])

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self._account,
        )

    def start(self) -> None:
        port = self.environment["RESONATE_POSTGRES_PORT"]
        settings = [f"-c{name}={value}" for name, value in self.settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", self._disk / "data", "-h", "127.0.0.1", "-p", port),
                    *("-k", self.folder, "-F", *settings),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._account,
            )
        end = time.monotonic() + _UP_SECONDS
        while True:
            try:
                connect(self.environment).close()
            except psycopg2.OperationalError as error:
                if "certificate verify failed" in str(error):
                    return  # it answers
                told = (self.folder / "log").read_text()[-2000:]
                assert self._process.poll() is None, told
                assert time.monotonic() < end, told
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """At once, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def start_again(self) -> None:
        if self._process is None:
            self.start()

    def show(self, certificate: Certificate) -> None:
        """To whoever connects from now on."""
        self.certificate = certificate
        for place, name in zip(certificate, _TLS, strict=True):
            shutil.copy(place, self.folder / name)
            self.give(self.folder / name)
        self.settings |= {"ssl": "on"} | {
            f"ssl_{kind}_file": str(self.folder / name)
            for kind, name in zip(("cert", "key"), _TLS, strict=True)
        }
        self.stop()
        self.start()

    def fill(self) -> None:
        """Leave nothing free on the small disk."""
        assert self._on_small_disk
        with (self._disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass

    def make_room(self) -> None:
        (self._disk / "filler").unlink(missing_ok=True)

    def end(self) -> None:
        try:
            self.stop()
        finally:
            if os.path.ismount(self._disk):
                subprocess.run(["umount", "--lazy", self._disk], check=True)
            shutil.rmtree(self.folder)


@contextmanager
def postgresql_server(port: int) -> Iterator[dict[str, str]]:
    """Gives the environment of docker/dagster.yaml."""
    server = PostgreSQL(port)
    try:
        yield server.environment
    finally:
        server.end()


def connect(environment: Mapping[str, str]) -> Any:
    return psycopg2.connect(
        host=environment["RESONATE_POSTGRES_HOST"],
        port=environment["RESONATE_POSTGRES_PORT"],
        user=environment["RESONATE_POSTGRES_USER"],
        password=environment["RESONATE_POSTGRES_PASSWORD"],
        dbname=environment["RESONATE_POSTGRES_DATABASE"],
    )


def _account() -> dict[str, Any]:
    """Who runs the server, as arguments of subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise LookupError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
