"""Ctrl-C and SIGTERM end what is at work within seconds, told and written down, whatever it is in the middle of.

Python's own way would take minutes: it heeds a signal when the main thread comes back from a library, and executors
then wait for their threads. Here the signal wakes a thread, which tells what is done and ends the process. Nothing
has to be unwound for that: artefacts are whole or not there at any moment, as for a process that is killed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TELLING_SECONDS = 6.0
"""A database or an endpoint that does not answer keeps nobody from ending."""

_scratch: set[str] = set()
"""What `scratch_of`, `scratch_folder` and `scratch_file` know, and is in use."""

Told = Callable[[], None]
"""Says what is done and what is not; called in a thread of its own, while the main one may still be at work."""


class Stopping:
    """Whether the process is being ended, and what is said then. tell: to be replaced as soon as there is more to
    say."""

    def __init__(self) -> None:
        self.tell: Told = lambda: None
        self._begun = threading.Event()
        self._outputs = {number: os.dup(number) for number in (1, 2)}
        """Standard output and error as they are now: while a step runs, Dagster has them go into files."""

    def hold(self) -> None:
        """To be called before something new is begun: once the process is being ended, nothing is."""
        if self._begun.is_set():
            threading.Event().wait()

    def end(self, number: int) -> None:
        """Tell, leave nothing behind, and end the process with 128 and the number of the signal."""
        self._begun.set()
        for output, kept in self._outputs.items():
            os.dup2(kept, output)
        telling = threading.Thread(target=self._leave, name="telling", daemon=True)
        telling.start()
        telling.join(_TELLING_SECONDS)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # who read it has gone
                stream.flush()
        _end_children()
        os._exit(128 + number)

    def close(self) -> None:
        for kept in self._outputs.values():
            os.close(kept)

    def _leave(self) -> None:
        try:
            self.tell()
        finally:
            # What is not imported yet has nothing to end; to import it here might wait for the main thread.
            for module, leave in (("heartbeats", "end_all"), ("store", "remove_scratch")):
                with suppress(Exception):  # a database that is away: its rows are taken for dead soon
                    getattr(sys.modules[f"resonate_resources.storage.{module}"], leave)()
            for place in tuple(_scratch):
                with suppress(OSError):
                    Path(place).unlink() if Path(place).is_file() else shutil.rmtree(place)


def _end_children() -> None:
    """Those of Dagster, which copy what a step says to the terminal. A worker in a session of its own is not ours
    alone: it sees by itself that nobody waits for its result."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone since
            # The name, in brackets, may hold anything (proc(5)).
            parent = int((place / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            if parent == os.getpid() and os.getsid(int(place.name)) == os.getsid(0):
                os.kill(int(place.name), signal.SIGKILL)


@contextmanager
def scratch_of(folder: str) -> Iterator[None]:
    """While the block lasts, a folder that is gone where the process is stopped."""
    _scratch.add(folder)
    try:
        yield
    finally:
        _scratch.discard(folder)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, also where the process is stopped meanwhile."""
    with TemporaryDirectory() as folder, scratch_of(folder):
        yield Path(folder)


@contextmanager
def scratch_file(path: Path) -> Iterator[Path]:
    """A path beside it, which takes its place once what is written to it is whole; gone also where the process is
    stopped meanwhile; where the process was killed, once the same file is made again. Raises OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    _clear_parts(path)
    _scratch.add(str(part))
    try:
        with part.open("wb") as held:
            with suppress(OSError):  # some network disks have no locks
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield part
            part.replace(path)
    finally:
        _scratch.discard(str(part))
        part.unlink(missing_ok=True)


def _clear_parts(path: Path) -> None:
    """What killed processes left of a file: parts that nobody holds, as the kernel lets go when a process dies."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+\.part")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if name.fullmatch(entry.name) and _is_free(entry.path):
                Path(entry.path).unlink()


def _is_free(file: str) -> bool:
    try:
        with Path(file).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def tell_stopped() -> None:
    """What a command says that had nothing to show yet."""
    os.write(2, b"stopped: nothing was written\n")


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """While the block lasts, Ctrl-C and SIGTERM end the process as `Stopping` says. In other threads than the main
    one, which get no signals, nothing changes."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        stopping.close()
        return
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    earlier = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    # Python wakes the thread only for signals that have a handler of Python's. It itself has nothing to do.
    handlers = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}

    def wait() -> None:
        while numbers := woken.recv(1):
            if numbers[0] in _SIGNALS:
                stopping.end(numbers[0])

    threading.Thread(target=wait, name="stopping", daemon=True).start()
    # From here on no other thread gets Ctrl-C, and no process that one starts: a terminal sends it to all of them,
    # and those of Dagster would die of it with a traceback. They are ended with us.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield stopping
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.set_wakeup_fd(earlier)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        waking.close()
        stopping.close()
