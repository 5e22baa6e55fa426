"""What the home keeps besides tracks: the room that results take, files that could not be used."""

from __future__ import annotations

import io
import os
from collections import defaultdict
from pathlib import Path

from resonate_assets.runs import tracks_under_way
from resonate_resources.storage.catalogue import CATALOGUE
from resonate_resources.storage.compute_cache import clear, computations, removable
from resonate_resources.storage.heartbeats import tracks_in_use
from resonate_studio.api.models import Cache, CacheCleared, CacheRow, Rejected, RejectedFiles
from resonate_studio.api.opened import Opened
from resonate_studio.api.wording import printable, without_paths

LIGHT = "light"
"""Folder of the home with what is made for the ear and the eye alone; see resonate_studio.hearing."""


def catalogue(home: Opened) -> bytes | None:
    """The catalogue as a file, its sources by name alone; None where there is none yet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = home.storage.store.read(CATALOGUE)
    if data is None:
        return None
    table = pq.read_table(io.BytesIO(data))
    names = [one and one.rstrip("/").rpartition("/")[2] for one in table["source"].to_pylist()]
    table = table.set_column(table.column_names.index("source"), "source", pa.array(names, pa.string()))
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


def taken_up(home: Opened, older_than_days: float) -> Cache:
    """By stage and engine, and what `cleared` would remove. Walks all of storage: seconds, of a large library."""
    sizes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    goes = 0
    for found in computations(home.storage.store):
        sizes[found.stage, found.engine][0 if found.current else 1] += found.size
        goes += found.size if removable(found, older_than_days * 86_400.0) else 0
    rows = [
        CacheRow(stage=stage, engine=engine, current_bytes=current, cached_bytes=cached)
        for (stage, engine), (current, cached) in sorted(sizes.items())
    ]
    return Cache(
        rows=rows,
        current_bytes=sum(row.current_bytes for row in rows),
        cached_bytes=sum(row.cached_bytes for row in rows),
        light_bytes=_size_of(home.settings.home / LIGHT),
        removable_bytes=goes,
    )


def cleared(home: Opened, older_than_days: float) -> CacheCleared:
    """Results that count no longer and are older than that, and what killed runs left."""
    url, instance = home.storage.database, home.instance
    found = clear(
        home.storage.store,
        older_than_days * 86_400.0,
        lambda: tracks_in_use(url) | tracks_under_way(instance),
    )
    return CacheCleared(results=found.results, removed_bytes=found.size, passed_over=list(found.in_use))


def rejected(home: Opened) -> RejectedFiles:
    """The latest first."""
    return RejectedFiles(
        files=[
            Rejected(
                name=printable(one.uri.rstrip("/").rpartition("/")[2]),
                reason=printable(without_paths(one.reason)),
                at=one.rejected_at,
            )
            for one in home.storage.sources.rejections()
        ]
    )


def _size_of(folder: Path) -> int:
    size = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                size += Path(directory, name).stat().st_size
            except FileNotFoundError:  # made room for another since
                continue
    return size
