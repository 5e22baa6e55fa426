"""The side of a worker: takes jobs from a socket, one at a time, until nobody has come for a while.

Only what any environment has is imported here.
"""

from __future__ import annotations

import faulthandler
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from resonate_resources.recordings.recording import AudioError, Progress

Work = Callable[[dict[str, Any], Progress], dict[str, Any]]
"""A job in JSON's types and where to report progress → its result in JSON's types. Raises AudioError."""

_PATIENCE_SECONDS = 30.0
"""For a client to say what it wants, and to take what it is told."""


class _ClientGoneError(Exception):
    """Nobody waits for the result any more."""


def serve(arguments: Sequence[str], work: Work, idle_seconds: float) -> None:
    """Answer jobs until told to stop or idle for so long.

    arguments: the program's own, which its client gives it: the Unix socket, which is made here, and for how many
    seconds a job may go without progress. One that does hangs: where it does goes to the log, and the process ends,
    even where nobody waits for it any more.

    Client and worker speak lines of JSON. The client sends its job. The worker says {"taken": process id, "log":
    bytes in its log before} when its turn has come, {"progress": 0…1} any number of times, and at last
    {"result": …} or {"error": one line, "kind": class of the error}.
    The job {"stop": true} ends the worker, whether or not its client waits for that.
    """
    address, silence_seconds = arguments[0], float(arguments[1])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        listener.settimeout(idle_seconds)
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(_PATIENCE_SECONDS)
                    if not _answer(connection, work, silence_seconds):
                        return
        except TimeoutError:
            return
        finally:
            # Before the socket closes: who comes now starts a new worker; who is in line is told nothing, and does.
            Path(address).unlink(missing_ok=True)


def _answer(connection: socket.socket, work: Work, silence_seconds: float) -> bool:
    """Whether to go on. Whatever becomes of a job or its client, the worker is there for the next."""

    def tell(**message: Any) -> None:
        # A thread of C's, which no lock of Python's holds up.
        faulthandler.dump_traceback_later(silence_seconds, exit=True)
        try:
            connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise _ClientGoneError from error

    try:
        with connection.makefile("rb") as lines:
            job = dict(json.loads(lines.readline()))
    except (OSError, ValueError, TypeError):
        return True  # a client that died or makes no sense
    if job.get("stop"):
        with suppress(_ClientGoneError):
            tell(taken=os.getpid())
            tell(result={})
        return False
    try:
        tell(taken=os.getpid(), log=os.fstat(sys.stderr.fileno()).st_size)
        tell(result=work(job, lambda done: tell(progress=done)))
    except _ClientGoneError:
        return True
    except AudioError as error:
        _tell_failure(tell, str(error), error)
    except (Exception, SystemExit) as error:  # libraries end the process where they should raise
        traceback.print_exc()
        sys.stderr.flush()
        if _is_out_of_memory(error):
            raise  # as one that is killed for it: a new process has all that this one can't give back
        _tell_failure(tell, f"{type(error).__name__}: {error}", error)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return True


def _is_out_of_memory(error: BaseException) -> bool:
    """torch raises a RuntimeError of its own for a GPU's memory, and a plain one for the machine's."""
    named = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and named)


def _tell_failure(tell: Callable[..., None], line: str, error: BaseException) -> None:
    try:
        tell(error=" ".join(line.split()), kind=type(error).__name__)
    except _ClientGoneError:
        return
