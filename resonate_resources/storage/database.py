"""The database that all processes of an installation share: heartbeats, ledgers, what has been paid.

SQLite on one machine; PostgreSQL where several work. Times are the database's own, so that hosts whose clocks
differ agree on how old something is. Tables belong to the modules that use them, and are made at first use.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

tables = sa.MetaData()
"""Every table that is kept in the database."""

_BUSY_SECONDS = 30.0
"""How long SQLite waits for another process that writes."""
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.2


@cache
def database(url: str) -> sa.Engine:
    """The engine of a database, one a process: `sqlite:////absolute/file.sqlite` or `postgresql+psycopg2://…`.

    The folder of a SQLite file is made. Raises sqlalchemy.exc.ArgumentError or OSError.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database:
            Path(address.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(address, connect_args={"timeout": _BUSY_SECONDS})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        engine = sa.create_engine(address, pool_pre_ping=True)
    return engine


@contextmanager
def transaction(url: str) -> Iterator[sa.Connection]:
    """What is done in the block is done whole or not at all; SQLite lets one process in at a time.

    Missing tables are made. A connection that can't be had is tried for a few times. Raises SQLAlchemyError.
    """
    _make_tables(url)
    connection = _connected(url)
    try:
        with connection.begin():
            yield connection
    finally:
        connection.close()


def seconds_since(column: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
    """Age of a time that `now` gave, by the database's clock."""
    return now() - column


def now() -> sa.ColumnElement[float]:
    """Seconds since 1970 by the database's clock: for columns of type Double."""
    return _Now()


class _Now(sa.sql.functions.GenericFunction[float]):
    type = sa.Double()
    inherit_cache = True
    name = "resonate_now"


def _sqlite_now(*_: object, **__: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


def _postgresql_now(*_: object, **__: object) -> str:
    return "EXTRACT(EPOCH FROM clock_timestamp())"


def _register() -> None:
    from sqlalchemy.ext.compiler import compiles

    compiles(_Now, "sqlite")(_sqlite_now)
    compiles(_Now, "postgresql")(_postgresql_now)


_register()


_made: dict[str, int] = {}
"""URL → how many tables this process has seen to: modules with more may be imported later."""


def _make_tables(url: str) -> None:
    """Several processes may begin at once: who loses the race finds the tables there."""
    if _made.get(url) == len(tables.tables):
        return
    for attempt in range(_TRIES):
        try:
            tables.create_all(database(url))
            _made[url] = len(tables.tables)
            return
        except sa.exc.DBAPIError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)


def _connected(url: str) -> sa.Connection:
    for attempt in range(_TRIES):
        try:
            return database(url).connect()
        except sa.exc.OperationalError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise AssertionError


def _prepare_sqlite(connection: object, _: object) -> None:
    """Explicit transactions (the driver would begin its own, too late), and readers beside a writer."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
