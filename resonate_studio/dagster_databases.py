"""Dagster's SQLite databases, there whole or not at all.

Dagster makes them table by table, and takes one that is there for a whole one: after a kill in the midst of that,
every command would miss a table. So they are made aside and moved in.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import click
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy.pool import NullPool

from resonate_resources.storage.database import sqlite_url
from resonate_studio.terminal import plain

_DATABASES = {
    "history/runs.db": (RunStorageSqlMetadata, "runs"),
    "history/runs/index.db": (SqlEventLogStorageMetadata, "event_logs"),
    "schedules/schedules.db": (ScheduleStorageSqlMetadata, "job_ticks"),
}
"""Those of a DAGSTER_HOME, what must be in each, and the table that all others are about. The database of a single
run Dagster completes by itself."""
_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database that was not closed (sqlite.org/tempfiles.html)."""
_ASIDE = ".databases-being-made"
_KEPT_BY_DAGSTER = {"alembic_version", "secondary_indexes", "instance_info"}
"""Tables that hold what Dagster wrote as it made the database."""


def make_databases(directory: Path) -> None:
    """Make what is missing of a DAGSTER_HOME's databases, and anew what was half made and holds nothing.

    For one process at a time: what another had begun aside is cleared away. Raises OSError and sqlite3.Error, and
    ClickException where a database holds something and can't be completed.
    """
    aside = directory / _ASIDE
    missing = [name for name in _DATABASES if not _is_whole(directory / name, *_DATABASES[name])]
    if missing:
        shutil.rmtree(aside, ignore_errors=True)
        DagsterSqliteStorage.from_local(str(aside)).dispose()
        for name in missing:
            database = directory / name
            database.parent.mkdir(parents=True, exist_ok=True)
            for suffix in _BESIDE:  # of the half-made one; they would be taken for the new one's
                database.with_name(database.name + suffix).unlink(missing_ok=True)
            (aside / name).replace(database)
    if aside.exists():
        shutil.rmtree(aside)


def _is_whole(database: Path, metadata: sa.MetaData, main: str) -> bool:
    """Whether it is; one that holds something is completed. Raises ClickException where that can't be."""
    if not database.exists():
        return False
    with closing(sqlite3.connect(database, timeout=SQLITE_BUSY_TIMEOUT_SECONDS)) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        # Written after all tables, by an older Dagster, too, whose databases are brought up to date elsewhere.
        if "alembic_version" in there and connection.execute("SELECT 1 FROM alembic_version").fetchone():
            return True
        held = [
            table
            for table in sorted(there - _KEPT_BY_DAGSTER)
            if not table.startswith("sqlite_") and connection.execute(f'SELECT 1 FROM "{table}"').fetchone()
        ]
    if not held:
        return False
    if main not in there:
        raise click.ClickException(
            f"{plain(str(database))}: holds {', '.join(held)} without {main}, which no version of Dagster makes; "
            "move it away, and it is made anew: results stay, and `resonate process` finds them again"
        )
    # Dagster before its pull request 25740, with SQLAlchemy 2, wrote no version; it does at the first connection.
    engine = sa.create_engine(sqlite_url(database), poolclass=NullPool)
    metadata.create_all(engine)
    return True
