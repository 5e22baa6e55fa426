"""Work in a process of its own, so that a library which crashes or hangs takes nothing with it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class ProcessLostError(Exception):
    """The process died, or did not answer in time and was ended. Its text says which."""


class OwnProcess:
    """A process that begins with the first call, works on one call at a time, and begins anew after it was lost."""

    def __init__(self, patience_s: float) -> None:
        """patience_s: how long one call may take."""
        self._patience_s = patience_s
        self._lock = Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def call(
        self,
        work: Callable[_Arguments, _Result],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> _Result:
        """The result of a module's function, or its exception. Raises ProcessLostError.

        All that goes in and comes out is pickled.
        """
        with self._lock:
            connection = self._connected()
            try:
                connection.send((work, arguments, named))
                if not connection.poll(self._patience_s):
                    raise ProcessLostError(f"did not answer within {self._patience_s:g} s")
                done, outcome = connection.recv()
            except (EOFError, OSError) as error:
                raise ProcessLostError(f"crashed ({self._ended()})") from error
            except ProcessLostError:
                self._ended()
                raise
        if not done:
            raise outcome
        return outcome  # type: ignore[no-any-return]

    def _connected(self) -> Connection:
        if self._connection is None:
            # Not forked: this process has threads, and locks that they hold.
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection

    def _ended(self) -> str:
        """What became of the process, which is no more."""
        assert self._process is not None
        assert self._connection is not None
        self._process.join(1)
        self._process.kill()
        self._process.join()
        self._connection.close()
        code, self._connection = self._process.exitcode, None
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _serve(connection: Connection) -> None:
    # What a library prints, also when a user stops all, is not for those who read this program's output.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    while True:
        try:
            work, arguments, named = connection.recv()
        except EOFError:
            return
        try:
            outcome = True, work(*arguments, **named)
        except Exception as error:
            outcome = False, error
        connection.send(outcome)
