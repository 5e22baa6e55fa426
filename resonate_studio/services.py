"""A program and all that it starts, ended within seconds and to the last one.

Dagster's own end of `dagster dev` waits a minute for each of its services, and leaves runs at work behind, with the
code servers that wait for them. Here all are in one session, which is asked to end, and then made to: also where we
are killed ourselves, by a small process that waits for our end (`python -m resonate_studio.services SESSION`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_ASKED_SECONDS = 3.0
"""For services to close what they have open; what they leave is whole at any moment."""
_MADE_SECONDS = 5.0
_LOOK_SECONDS = 0.05
_HEARD_OUT_SECONDS = 2.0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def to_stderr(line: bytes) -> None:
    """A line as it is."""
    sys.stderr.buffer.write(line)
    sys.stderr.flush()


class Services:
    """The program, in a session of its own: a Ctrl-C in the terminal reaches us and not it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        say: Callable[[bytes], None] = to_stderr,
    ) -> None:
        """say: takes each line that the program and all that it starts print, in a thread of its own."""
        if sys.platform == "linux":
            # What loses its parent comes to us and not to init, which in a container may collect nobody.
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._main = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        # Its standard input is a pipe of which we alone hold the other end: it ends with us, however we do.
        self._survivor = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._main.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._say = say
        self._ending = False
        self._passing_on = threading.Thread(target=self._pass_on, name="services", daemon=True)
        self._passing_on.start()

    def ended(self) -> int | None:
        """The exit code of the program, once it has ended."""
        return self._main.poll()

    def heard_out(self) -> None:
        """Wait until all that was said of a program that has ended is passed on: not long, should another that it
        started still be there."""
        self._passing_on.join(_HEARD_OUT_SECONDS)

    def processes(self) -> set[int]:
        """Ids of all that are left of it. Without /proc, which only Linux has, of the program alone."""
        found = set() if self._main.poll() is not None else {self._main.pid}
        return found | _of_session(self._main.pid)

    def end(self) -> None:
        """Ask all to end, and after some seconds make them. When this returns none of them is left. What they say
        of each other's end is not passed on."""
        self._ending = True
        _end(self._main.pid, self.processes)
        assert self._survivor.stdin is not None
        self._survivor.stdin.close()
        self._survivor.wait()

    def _pass_on(self) -> None:
        assert self._main.stdout is not None
        for line in self._main.stdout:
            if not self._ending:
                self._say(line)


def _of_session(session: int) -> set[int]:
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone since
            if os.getsid(int(place.name)) == session:
                found.add(int(place.name))
    return found


def _end(session: int, left: Callable[[], set[int]]) -> None:
    _send(session, signal.SIGTERM, left())
    if _gone(left, _ASKED_SECONDS):
        return
    _send(session, signal.SIGKILL, left())
    _gone(left, _MADE_SECONDS)


def _send(session: int, number: signal.Signals, processes: set[int]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: of a group of zombies
        os.killpg(session, number)
    for process in processes:  # in a group of their own
        with suppress(ProcessLookupError):
            if os.getpgid(process) != session:
                os.kill(process, number)


def _gone(left: Callable[[], set[int]], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while left():
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that have come to us
                pass
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _outlive(session: int) -> None:
    """Wait for the end of who started us, then end what it may have left of a session."""
    while sys.stdin.buffer.read(1):
        pass
    _end(session, lambda: _of_session(session))


if __name__ == "__main__":
    _outlive(int(sys.argv[1]))
