"""Work done by a process in an environment of its own, which stays for the next job.

Dagster Pipes starts a process for every call, so that a model would be loaded anew for every track. This process
listens on a Unix socket instead: whichever run comes next, in whatever process of the same user, finds it warm.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from resonate_resources.models.workers import server
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, Progress, silent

_START_SECONDS = 60.0
_LONGEST_ADDRESS = 100
"""Bytes. Linux has room for 108, macOS for 104."""

_processes: list[subprocess.Popen[bytes]] = []
"""Started by this one: held, as nobody else can tell when they are gone."""


class WorkerError(AudioError):
    """A job that came to nothing, in one line. kind: the class of the error that the worker met, if it told one."""

    def __init__(self, line: str, kind: str = "") -> None:
        super().__init__(line)
        self.kind = kind


class _EndedError(Exception):
    """The worker ended, idle, before it took a job."""


def environments_directory() -> Path:
    """Where the workers' environments are: $RESONATE_WORKERS, else `workers` in the environment that runs this."""
    named = os.environ.get("RESONATE_WORKERS")
    return Path(named) if named else Path(sys.prefix) / "workers"


@dataclass(frozen=True)
class Worker:
    """name: of its environment. program: a script that calls `serve` with the socket that is its one argument.

    sources: the code that the program runs. When it changes, a worker from before is left alone and ends, idle.
    """

    name: str
    program: Path
    sources: tuple[Path, ...] = ()

    @property
    def environment(self) -> Path:
        return environments_directory() / self.name

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def log(self) -> Path:
        """What the latest process wrote."""
        return self._address.with_suffix(".log")

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can."""
        if self.python.exists():
            return None
        return f"{self.name} has no environment at {self.environment}: run `make workers`"

    def run(self, job: Mapping[str, Json], progress: Progress = silent) -> dict[str, Any]:
        """The worker's result. Waits for its turn; starts the worker if there is none. Raises WorkerError."""
        if (reason := self.available()) is not None:
            raise WorkerError(reason)
        for _ in range(10):  # a worker may end, idle, while we are on our way to it
            with suppress(_EndedError), self._connection() as connection:
                return self._ask(connection, job, progress)
        raise WorkerError(f"the worker {self.name} takes no jobs; {self._last_words()}")

    def stop(self) -> None:
        """End the process, if there is one, after the jobs that are in line before this call."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self._address))
                self._ask(connection, {"stop": True}, silent)
            except (OSError, WorkerError, _EndedError):
                return  # it is gone already

    def _ask(self, connection: socket.socket, job: Mapping[str, Json], progress: Progress) -> dict[str, Any]:
        taken = False
        with closing(_messages(connection, job)) as messages:
            for message in messages:
                taken = True
                if "progress" in message:
                    progress(message["progress"])
                elif "error" in message:
                    raise WorkerError(message["error"], message["kind"])
                elif "result" in message:
                    return dict(message["result"])
        if not taken:
            raise _EndedError
        raise WorkerError(
            f"the worker {self.name} ended in the middle of its work (killed, out of memory, or crashed); "
            f"{self._last_words()}"
        )

    @contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        address = self._address
        with socket.socket(socket.AF_UNIX) as connection:
            # Who starts one holds the lock until it listens: of several at once, one starts and all are served.
            with address.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _connects(connection, address):
                    self._start(connection, address)
            yield connection

    def _start(self, connection: socket.socket, address: Path) -> None:
        address.unlink(missing_ok=True)  # of one that was killed
        command = [str(self.python), "-I", str(self.program), str(address)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        _processes[:] = [other for other in _processes if other.poll() is None] + [process]
        deadline = time.monotonic() + _START_SECONDS
        while not _connects(connection, address):
            if process.poll() == 0:
                raise _EndedError
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise WorkerError(f"the worker {self.name} does not start; {self._last_words()}")
            time.sleep(0.02)

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"its log ends: {lines[-1][:300]} ({self.log})" if lines else "it left nothing in its log"

    @cached_property
    def _address(self) -> Path:
        code = hashlib.sha256(os.fsencode(self.python))
        for source in (self.program, Path(server.__file__), *self.sources):
            code.update(f"{source}:{source.stat().st_mtime_ns}".encode())
        address = _own_directory() / f"{self.name}-{code.hexdigest()[:12]}.sock"
        if len(os.fsencode(address)) > _LONGEST_ADDRESS:
            raise WorkerError(
                f"{address}: is too long for a socket; set TMPDIR to a folder nearer to the root"
            )
        return address


def _messages(connection: socket.socket, job: Mapping[str, Json]) -> Generator[dict[str, Any]]:
    """What the worker says to a job, until it has said all or is no more."""
    try:
        connection.sendall(json.dumps(job).encode() + b"\n")
        with connection.makefile("rb") as lines:
            yield from map(json.loads, lines)
    except (ConnectionError, json.JSONDecodeError):
        return  # it ended before it had read our line, or in the middle of its own


def _connects(connection: socket.socket, address: Path) -> bool:
    try:
        connection.connect(str(address))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def _own_directory() -> Path:
    """A directory that only this user can enter: who can reach the socket can have files written."""
    directory = Path(tempfile.gettempdir()) / f"resonate-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise WorkerError(f"{directory}: is not ours alone; remove it")
    return directory
