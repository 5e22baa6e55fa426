"""The database that all processes of an installation share: heartbeats, ledgers, what has been paid.

SQLite on one machine; PostgreSQL where several work. Times are the database's own, so that hosts whose clocks
differ agree on how old something is. Tables belong to the modules that use them; each change of one is a
migration, which is done at first use: see `schema`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from resonate_resources.storage.certificates import fault_of_certificate
from resonate_resources.storage.schema import VersionError, bring_up

_Result = TypeVar("_Result")
_Json = TypeVar("_Json", dict[str, Any], list[Any])

tables = sa.MetaData()
"""Every table that is kept in the database."""

_BUSY_SECONDS = 30.0
"""How long SQLite waits for another process that writes."""
_CONNECT_SECONDS = 5
"""For each address of a server's name; libpq would wait for as long as TCP does."""
_GIVE_UP_SECONDS = 8.0
"""No other try to connect begins later: a silent server is told after 10 s, after 20 where it has two addresses."""
_CONNECT_TRIES = 6
"""With the pauses between them, 6 s: a server that restarts is back by then."""
_SILENT_SECONDS = 120
"""A connection that was cut for longer is known to be gone: by itself TCP waits two hours for an answer, and a
quarter of one for a word to be taken. What is cut for less goes on."""
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.2
_SQLITE_BUSY = (5, 6)
"""SQLITE_BUSY and SQLITE_LOCKED, whatever their extension (sqlite.org/rescode.html)."""
_POSTGRESQL_PASSING = ("08", "40", "53", "55P03", "57P01", "57P02", "57P03")
"""SQLSTATEs: connection lost, transaction rolled back, resources short, lock not had, server going down or coming
up (PostgreSQL's documentation, appendix A)."""


class DatabaseError(sa.exc.SQLAlchemyError):
    """The database can't be used. One line, which tells which one and why, and never its password."""

    def __init__(self, url: str, error: Exception) -> None:
        setting = "RESONATE_DATABASE: " if os.environ.get("RESONATE_DATABASE") == url else ""
        super().__init__(f"{setting}{place_of(url)}: can't be used ({reason_of(error, url)})")


def place_of(url: str) -> str:
    """A database as people may see it: the file, or kind, user, host and name."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        return address.database or "a database in memory"
    shown = sa.URL.create(
        address.get_backend_name(), address.username, None, address.host, address.port, address.database
    )
    return shown.render_as_string()


def reason_of(error: Exception, url: str = "") -> str:
    """What a driver says, on one line and without the password."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed: pip install 'resonate-studio[postgres]'"
    told = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
    lines = [line.strip() for line in str(told).splitlines() if line.strip()]
    reason = (lines or [type(error).__name__])[0]
    if url and reason.endswith("certificate verify failed"):  # libpq does not tell why
        reason += f": {fault_of_certificate(url)}"
    password = sa.make_url(url).password if url else None
    return reason.replace(str(password), "***") if password else reason


@cache
def database(url: str) -> sa.Engine:
    """The engine of a database, one a process: `sqlite:////absolute/file.sqlite` or `postgresql+psycopg2://…`.

    The folder of a SQLite file is made. Raises DatabaseError.
    """
    try:
        return _engine(url)
    except (OSError, ImportError, sa.exc.ArgumentError) as error:
        raise DatabaseError(url, error) from error


def _engine(url: str) -> sa.Engine:
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database:
            file = Path(address.database).expanduser()
            file.parent.mkdir(parents=True, exist_ok=True)
            address = address.set(database=str(file))
        engine = sa.create_engine(address, connect_args={"timeout": _BUSY_SECONDS})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        if (
            address.drivername == address.get_backend_name()
        ):  # which driver that means changes between releases
            address = address.set(drivername="postgresql+psycopg2")
        silence = {
            "keepalives_idle": _SILENT_SECONDS // 2,
            "keepalives_interval": _SILENT_SECONDS // 8,
            "keepalives_count": 4,
            "tcp_user_timeout": 1000 * _SILENT_SECONDS,  # milliseconds
        }
        connecting = {"connect_timeout": _CONNECT_SECONDS, **silence}
        engine = sa.create_engine(address, pool_pre_ping=True, connect_args=connecting)
    return engine


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file at an absolute path, whatever its folders are called."""
    return "sqlite:///" + str(file).replace("%", "%25").replace("?", "%3F")


def write_back(file: Path) -> None:
    """Bring what SQLite keeps beside a database (in WAL mode) into it, and leave nothing there: pages lie there as
    they were before something was deleted, for as long as others have the database open. Where there is no such
    database, or others hold it up for long, it stays as it is."""
    if file.is_file():
        with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def transaction(url: str) -> Iterator[sa.Connection]:
    """What is done in the block is done whole or not at all; SQLite lets one process in at a time.

    A database of an earlier version is brought up first. A connection that can't be had is tried for a few times;
    what breaks off later is not done again, as nobody knows what else the block did: see `done`. Raises
    SQLAlchemyError: DatabaseError where there is no connection to be had within half a minute, or the database is
    of a later version, or of none that is known.
    """
    connection = _connected(url)
    try:
        _bring_up_to_date(url)
    except (sa.exc.DBAPIError, VersionError) as error:
        connection.close()
        raise DatabaseError(url, error) from error
    try:
        with connection.begin():
            yield connection
    finally:
        connection.close()


def done(url: str, work: Callable[[sa.Connection], _Result]) -> _Result:
    """Work in one transaction, which is begun anew where it failed for a reason that may pass: a connection that
    broke off, a server that restarts, a deadlock, a database that is locked. The work may be called several times.

    Raises SQLAlchemyError where it does not pass within some seconds.
    """
    for attempt in range(_TRIES):
        try:
            with transaction(url) as connection:
                return work(connection)
        except sa.exc.DBAPIError as error:
            if attempt == _TRIES - 1 or not may_pass(error):
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise AssertionError


def may_pass(error: sa.exc.DBAPIError) -> bool:
    """Whether a failure may be gone at the next try: a full disk or a missing table is not."""
    if error.connection_invalidated:
        return True
    if getattr(error.orig, "sqlite_errorcode", None) is not None:
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BUSY
    state = getattr(error.orig, "pgcode", None)
    if state is None:  # psycopg2 gives none where there was no server to give one
        return isinstance(error, sa.exc.OperationalError)
    return str(state).startswith(_POSTGRESQL_PASSING)


def _turned_away(error: sa.exc.DBAPIError) -> bool:
    """Whether a server is there and will not have us: a wrong password, an unknown database. psycopg2 gives no code
    with that, only PostgreSQL's own words."""
    told = str(error.orig)
    return "FATAL:" in told and not any(
        word in told
        for word in ("starting up", "shutting down", "recovery", "too many", "remaining connection")
    )


def alone(connection: sa.Connection, name: str) -> None:
    """Until the transaction ends, no other that asks for this name goes on. SQLite lets in one at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(name))))


def insert_into(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that may say what happens on a conflict, which each kind of database has of its own."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or give those that are there these values: all rows have the same columns, others stay."""
    if not rows:
        return
    insert = insert_into(connection, table)
    keys = [column for column in table.c if column.primary_key]
    given = {name: insert.excluded[name] for name in rows[0] if not table.c[name].primary_key}
    connection.execute(
        insert.on_conflict_do_update(index_elements=keys, set_=given)
        if given
        else insert.on_conflict_do_nothing(index_elements=keys),
        list(rows),
    )


def json_in(text: str, empty: _Json, read: Callable[[str], Any] = json.loads) -> _Json:
    """What a column of JSON says; `empty` where somebody else wrote what is none, or of another kind."""
    try:
        value = read(text)
    except (ValueError, TypeError, RecursionError):
        return empty
    return value if isinstance(value, type(empty)) else empty


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


_up_to_date: set[str] = set()
"""URLs of which this process has seen that they have the tables of this version."""
_one_thread = threading.Lock()
"""Alembic keeps what it is at in its module."""


def _bring_up_to_date(url: str) -> None:
    """Of several processes or threads that begin at once, one does it and the others wait."""
    if url in _up_to_date:
        return
    with _one_thread:
        _bring_up(url)
        _up_to_date.add(url)


def _bring_up(url: str) -> None:
    for attempt in range(_TRIES):
        try:
            with database(url).begin() as connection:
                alone(connection, "migrations")
                bring_up(connection)
            return
        except sa.exc.DBAPIError as error:
            if attempt == _TRIES - 1 or not may_pass(error):
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)


def _connected(url: str) -> sa.Connection:
    end = time.monotonic() + _GIVE_UP_SECONDS
    for attempt in range(_CONNECT_TRIES):
        try:
            return database(url).connect()
        except sa.exc.DBAPIError as error:
            last = attempt == _CONNECT_TRIES - 1 or time.monotonic() > end
            if last or not may_pass(error) or _turned_away(error):
                raise DatabaseError(url, error) from error
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise AssertionError


def _prepare_sqlite(connection: object, _: object) -> None:
    """Explicit transactions (the driver would begin its own, too late), and readers beside a writer."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA secure_delete=ON")  # what is removed is no longer in the file, either
    cursor.close()
