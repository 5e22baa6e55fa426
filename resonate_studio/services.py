"""A program and all that it starts, ended within seconds and to the last one.

Dagster's own end of `dagster dev` waits a minute for each of its services, and leaves runs at work behind, with the
code servers that wait for them. Here all are in one session, which is asked to end, and then made to.
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
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # gone since
                if os.getsid(int(place.name)) == self._main.pid:
                    found.add(int(place.name))
        return found

    def end(self) -> None:
        """Ask all to end, and after some seconds make them. When this returns none of them is left. What they say
        of each other's end is not passed on."""
        self._ending = True
        self._send(signal.SIGTERM)
        if self._gone(_ASKED_SECONDS):
            return
        self._send(signal.SIGKILL)
        self._gone(_MADE_SECONDS)

    def _pass_on(self) -> None:
        assert self._main.stdout is not None
        for line in self._main.stdout:
            if not self._ending:
                self._say(line)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._main.pid, number)
        for process in self.processes():  # in a group of their own
            with suppress(ProcessLookupError):
                if os.getpgid(process) != self._main.pid:
                    os.kill(process, number)

    def _gone(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self.processes():
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have come to us
                    pass
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        return True
