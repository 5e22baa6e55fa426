"""A home that can't be written to, looked at all the same: by copies of its databases."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from resonate_assets.settings import Settings
from resonate_studio.home import instance_directory

if TYPE_CHECKING:
    import dagster as dg

_RUNS_AT_MOST = 200
"""Logs of runs, the latest: of those that failed or are under way the reasons and the stages are read from them."""


def can_be_written(settings: Settings) -> bool:
    """Whether this process may write to a home, its Dagster instance and its database."""
    places = [settings.home, instance_directory(settings)]
    if not settings.database:
        places.append(settings.home / "resonate.sqlite")
    return all(os.access(place, os.W_OK) for place in places if place.exists())


@contextmanager
def open_copy(settings: Settings) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    """The settings and the instance of a copy, which goes when the block ends. Storage is the home's own, only
    read. Raises OSError and sqlite3.Error."""
    from resonate_studio.dagster_storage import open_storage

    with TemporaryDirectory(prefix="resonate-") as folder:
        copy, original = Path(folder), instance_directory(settings)
        for config in original.glob("dagster.yaml"):
            shutil.copyfile(config, copy / config.name)
        runs = [path for path in (original / "history" / "runs").glob("*.db") if path.stem != "index"]
        runs.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for database in (
            *(original / "history").glob("*.db"),
            *(original / "history" / "runs").glob("index.db"),
            *runs[:_RUNS_AT_MOST],
            *(original / "schedules").glob("*.db"),
        ):
            copy_database(database, copy / database.relative_to(original))
        seen = settings
        if not settings.database:
            copy_database(settings.home / "resonate.sqlite", copy / "resonate.sqlite")
            seen = replace(settings, database=f"sqlite:///{copy / 'resonate.sqlite'}")
        with open_storage(copy) as instance:
            yield seen, instance


def copy_database(database: Path, target: Path) -> None:
    """A SQLite database as it is now, whoever writes to it; nothing where there is none. Raises OSError and
    sqlite3.Error."""
    if not database.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        address = f"file:{quote(str(database))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.OperationalError:  # in WAL mode and closed: to open it SQLite would make a file beside it
        for suffix in ("", "-wal"):
            if (part := database.with_name(database.name + suffix)).exists():
                shutil.copyfile(part, target.with_name(target.name + suffix))
