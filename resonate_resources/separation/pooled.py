"""An engine that waits for its place before it works: the pool is that of the engine that really runs."""

from __future__ import annotations

import logging
from pathlib import Path

from resonate_resources.recipe import Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.separation.separator import Separator
from resonate_resources.storage.pools import Pool, in_pool

_log = logging.getLogger(__name__)


class Pooled:
    """The same separator, which holds a place in a pool of a database while it separates."""

    def __init__(self, separator: Separator, pool: Pool, database: str) -> None:
        self._separator, self._pool, self._database = separator, pool, database

    @property
    def notes(self) -> tuple[str, ...]:
        return self._separator.notes

    def recipe(self) -> Recipe:
        return self._separator.recipe()

    def available(self) -> str | None:
        return self._separator.available()

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        with in_pool(self._database, self._pool, tell=_log.info):
            return self._separator.separate(track, into, progress)
