"""The compute cache: results of stages that other results have taken the place of.

They are kept because going back to the settings, engine or code they were made with then costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.store import Store


@dataclass(frozen=True)
class Computation:
    """A stored result. prefix: where its files are; size in bytes; finished_at in seconds since 1970, None for one
    that was never finished; current: whether it is what its stage gives now."""

    prefix: str
    size: int
    finished_at: float | None
    current: bool


def computations(store: Store) -> Iterator[Computation]:
    """All results of all stages of all tracks, finished or not. One listing, and a small read a stage and track."""
    sizes: dict[str, int] = {}
    finished: dict[str, float] = {}
    for entry in store.entries("artefacts"):
        parts = entry.key.split("/")
        if len(parts) < 5:
            continue  # the manifest that says which result counts
        prefix = "/".join(parts[:4])
        sizes[prefix] = sizes.get(prefix, 0) + entry.size
        if parts[4] == "manifest.json":
            finished[prefix] = entry.written_at
    artefacts = Artefacts(store)
    counting: dict[tuple[str, str], str | None] = {}
    for prefix, size in sorted(sizes.items()):
        _, stage, track, key = prefix.split("/")
        if (stage, track) not in counting:
            current = artefacts.current(stage, track)
            counting[stage, track] = current.manifest.key if current else None
        yield Computation(prefix, size, finished.get(prefix), counting[stage, track] == key)


def clear(store: Store, older_than_seconds: float) -> tuple[int, int]:
    """Remove results that count no longer and were finished so long ago. Returns how many, and their bytes.

    What counts now stays, however old; so does what is not finished, as it may be under way.
    """
    before = time.time() - older_than_seconds
    removed = [
        computation
        for computation in computations(store)
        if not computation.current
        and computation.finished_at is not None
        and computation.finished_at < before
    ]
    for computation in removed:
        # Without its manifest it is no result any more: killed in between, nothing is taken for whole.
        store.delete(f"{computation.prefix}/manifest.json")
        store.delete(computation.prefix)
    return len(removed), sum(computation.size for computation in removed)
