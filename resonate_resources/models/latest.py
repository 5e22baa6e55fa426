"""The network that a worker has loaded: one, the latest."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


class Latest(Generic[Loaded]):
    """Keeps what was loaded last, for as long as the same is asked for."""

    def __init__(self) -> None:
        self._held: tuple[object, Loaded] | None = None

    def holds(self, state: object) -> bool:
        return self._held is not None and self._held[0] == state

    def get(self, state: Callable[[], object], load: Callable[[], Loaded]) -> Loaded:
        """What `load` gave for this state, now or before. Never two at once: what was there is let go first.

        state: asked for again after loading, which may fetch what is missing.
        """
        if self._held is None or self._held[0] != state():
            self._held = None
            gc.collect()
            loaded = load()
            self._held = state(), loaded
        return self._held[1]


def state_of(file: Path) -> tuple[Path, int, int] | None:
    """Differs when there is another file in its place; None where there is none."""
    if not file.is_file():
        return None
    status = file.stat()
    return file, status.st_mtime_ns, status.st_size
