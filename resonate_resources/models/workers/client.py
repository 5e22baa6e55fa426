"""Work done by a process in an environment of its own, which stays for the next job.

Dagster Pipes starts a process for every call, so that a model would be loaded anew for every track. This process
listens on a Unix socket instead: whichever run comes next, in whatever process of the same user, finds it warm.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from resonate_resources.ingredients import sources_of
from resonate_resources.models.workers import server
from resonate_resources.models.workers.environments import Environment
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, Progress, silent

_START_SECONDS = 60.0
_LONGEST_ADDRESS = 100
"""Bytes. Linux has room for 108, macOS for 104."""
_LOOK_SECONDS = 0.5
"""How often a worker that says nothing has its log read, and is asked whether it is there."""
_ENDING_SECONDS = 2.0
_GRACE_SECONDS = 10.0
"""For a worker that hangs to end itself before it is killed."""
_CODE = "[0-9a-f]" * 12
_PROGRAM = Path(__file__).with_name("program.py")

_log = logging.getLogger(__name__)
"""What a worker at work writes, and what becomes of it, goes there; dagster.yaml has that taken into the run."""


class WorkerError(AudioError):
    """A job that came to nothing, in one line. kind: the class of the error that the worker met, if it told one."""

    def __init__(self, line: str, kind: str = "") -> None:
        super().__init__(line)
        self.kind = kind


class _DiedError(WorkerError):
    """The worker ended in the middle of a job, not by its own doing."""


class _EndedError(Exception):
    """The worker ended, idle, before it took a job."""


@dataclass(frozen=True)
class Worker:
    """work: what does its jobs, by the dotted name of a class (see `program.py`). When its module changes, or one
    of ours that it imports, a worker from before is left alone and ends, idle.

    silence_seconds: for how long a job may go without progress; what does is taken to hang, and killed.
    """

    environment: Environment
    work: str
    silence_seconds: float = 900.0
    program: Path = _PROGRAM

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def log(self) -> Path:
        """What the latest process wrote."""
        return self._address.with_suffix(".log")

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can."""
        return self.environment.unavailable()

    def run(self, job: Mapping[str, Json], progress: Progress = silent) -> dict[str, Any]:
        """The worker's result. Waits for its turn; starts the worker if there is none. Raises WorkerError.

        A job whose worker was killed (by hand, or for memory) or crashed is tried once more, by a new one; one that
        hung is not. Lines of the worker's log are logged while it is at work.
        """
        if (reason := self.available()) is not None:
            raise WorkerError(reason)
        try:
            return self._run(job, progress)
        except _DiedError as error:
            _log.warning("%s; the job is tried once more", error)
        return self._run(job, progress)

    def stop(self) -> None:
        """End the process, if there is one, after the jobs that are in line before this call."""
        with suppress(WorkerError):  # no place for its socket: there is none
            _stop(self._address, wait=True)

    def _run(self, job: Mapping[str, Json], progress: Progress) -> dict[str, Any]:
        for _ in range(10):  # a worker may end, idle, while we are on our way to it
            with suppress(_EndedError), self._connection() as connection:
                return self._ask(connection, job, progress)
        raise WorkerError(f"the worker {self.name} takes no jobs; {self._last_words()}")

    def _ask(self, connection: socket.socket, job: Mapping[str, Json], progress: Progress) -> dict[str, Any]:
        pid, heard, told = None, time.monotonic(), 0
        with closing(_messages(connection, job)) as messages:
            for message in messages:
                if pid is not None:
                    told = self._pass_on_log(told)
                if message is None:
                    if pid is not None and time.monotonic() - heard > self.silence_seconds + _GRACE_SECONDS:
                        break
                    continue
                heard = time.monotonic()
                if "taken" in message:
                    pid, told = message["taken"], message["log"]
                elif "progress" in message:
                    progress(message["progress"])
                elif "error" in message:
                    raise WorkerError(message["error"], message["kind"])
                elif "result" in message:
                    return dict(message["result"])
        if pid is None:
            raise _EndedError
        hung = time.monotonic() - heard > self.silence_seconds
        if not hung:
            _let_end(pid)
        _kill(pid)
        if hung:
            raise WorkerError(
                f"the worker {self.name} said nothing for {self.silence_seconds:.0f} s and was ended; "
                f"where it hung stands in its log ({self.log})"
            )
        raise _DiedError(
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
        python, arguments = self.environment.python, (address, self.silence_seconds, self.work)
        command = [str(python), "-I", str(self.program), *map(str, arguments)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        # Whenever it ends: else it would stay a zombie for as long as we live.
        threading.Thread(target=process.wait, daemon=True).start()
        deadline = time.monotonic() + _START_SECONDS
        while not _connects(connection, address):
            if process.poll() == 0:
                raise _EndedError
            if process.poll() is not None or time.monotonic() > deadline:
                _kill(process.pid)
                raise WorkerError(f"the worker {self.name} does not start; {self._last_words()}")
            time.sleep(0.02)

    def _pass_on_log(self, start: int) -> int:
        """Log the whole lines that were written since its byte `start`; where they end."""
        if self.log.stat().st_size <= start:
            return start
        with self.log.open("rb") as log:
            log.seek(start)
            lines, end, _ = log.read().rpartition(b"\n")
        for line in lines.decode(errors="replace").splitlines():
            if line.strip():
                _log.info("%s: %s", self.name, line.rstrip())
        return start + len(lines) + len(end)

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"its log ends: {lines[-1][:300]} ({self.log})" if lines else "it left nothing in its log"

    @cached_property
    def _address(self) -> Path:
        code = hashlib.sha256(os.fsencode(self.environment.python))
        module = self.work.rpartition(".")[0]
        for source in (self.program, *sources_of(server.__name__, module)):
            code.update(f"{source}:{source.stat().st_mtime_ns}".encode())
        address = _own_directory() / f"{self.name}-{code.hexdigest()[:12]}.sock"
        if len(os.fsencode(address)) > _LONGEST_ADDRESS:
            raise WorkerError(
                f"{address}: is too long for a socket; set TMPDIR to a folder nearer to the root"
            )
        return address


def warm(name: str = "*") -> list[Path]:
    """Sockets of the workers of this user that are there, of one name or of all, by whatever code."""
    return [
        address for address in sorted(_own_directory().glob(f"{name}-{_CODE}.sock")) if _is_there(address)
    ]


def stop_all(name: str = "*", patience_seconds: float = 5.0) -> list[Path]:
    """End them; those that are at work end after the jobs in line, and are given back where that takes longer."""
    deadline = time.monotonic() + patience_seconds
    addresses = warm(name)
    for address in addresses:
        _stop(address, wait=False)
    while (left := [address for address in addresses if address.exists()]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _stop(address: Path, wait: bool) -> None:
    """Ask the worker there to end when its turn comes; it does so, too, where nobody waits."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):  # it is gone already
        connection.connect(str(address))
        connection.sendall(json.dumps({"stop": True}).encode() + b"\n")
        while wait and connection.recv(1 << 12):
            pass


def _is_there(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return _connects(connection, address)


def _let_end(pid: int) -> None:
    """Its connection is closed before it has written why it ends; killed at once, it would leave half of that."""
    deadline = time.monotonic() + _ENDING_SECONDS
    with suppress(OSError):  # it has ended
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.02)


def _kill(leader: int) -> None:
    """A worker and all that it has started: it leads a group of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _messages(connection: socket.socket, job: Mapping[str, Json]) -> Generator[dict[str, Any] | None]:
    """What the worker says to a job, until it has said all or is no more; None where it is silent for a while."""
    held = b""
    try:
        connection.sendall(json.dumps(job).encode() + b"\n")
        connection.settimeout(_LOOK_SECONDS)
        while True:
            try:
                came = connection.recv(1 << 16)
            except TimeoutError:
                yield None
                continue
            if not came:
                return
            *lines, held = (held + came).split(b"\n")
            yield from map(json.loads, lines)
    except ConnectionError:
        return  # it ended before it had read our line


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
