"""Work behind what is answered: one thing at a time, what was asked for last first, each once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Behind:
    """A thread that works things off, begun with the first; it does not keep the process. name: the thread's."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._waiting: dict[str, Callable[[], object]] = {}
        self._at_work: str | None = None
        self._failed: set[str] = set()
        self._thread: threading.Thread | None = None

    def add(self, name: str, work: Callable[[], object]) -> None:
        """Have it done, unless it is waiting or at work, or failed before: a file that can't be read is not tried
        over and over. name: of what it makes."""
        with self._changed:
            if name in self._waiting or name == self._at_work or name in self._failed:
                return
            self._waiting[name] = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def has_failed(self, name: str) -> bool:
        """Whether that can't be had, as far as this process knows."""
        return name in self._failed

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                self._at_work, work = self._waiting.popitem()
            try:
                work()
            except Exception:  # the file may be gone by now; the next one is another
                _log.exception("%s: could not be done", self._name)
                self._failed.add(self._at_work)
            finally:
                with self._changed:
                    self._at_work = None
