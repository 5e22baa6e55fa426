"""The database that processes share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.storage.database import (
    DatabaseError,
    database,
    done,
    may_pass,
    now,
    reason_of,
    seconds_since,
    sqlite_url,
    transaction,
)

MARKS = sa.Table(
    "test_marks", sa.MetaData(), sa.Column("name", sa.Text, primary_key=True), sa.Column("at", sa.Double)
)


def url_of(folder: Path) -> str:
    """Of a database in which there are marks."""
    url = f"sqlite:///{folder / 'deep' / 'resonate.sqlite'}"
    MARKS.create(database(url), checkfirst=True)
    return url


def test_the_database_s_clock_tells_how_old_something_is(tmp_path: Path) -> None:
    with transaction(url_of(tmp_path)) as db:
        db.execute(sa.insert(MARKS).values(name="a", at=now()))
    with transaction(url_of(tmp_path)) as db:
        at, age = db.execute(sa.select(MARKS.c.at, seconds_since(MARKS.c.at))).one()
    assert abs(at - time.time()) < 5
    assert 0 <= age < 5


def test_what_fails_half_way_never_happened(tmp_path: Path) -> None:
    try:
        with transaction(url_of(tmp_path)) as db:
            db.execute(sa.insert(MARKS).values(name="a", at=0.0))
            raise KeyError
    except KeyError:
        pass
    with transaction(url_of(tmp_path)) as db:
        assert db.execute(sa.select(sa.func.count()).select_from(MARKS)).scalar() == 0


def test_processes_that_read_and_then_write_do_not_lose_each_other_s_change(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    with transaction(url) as db:
        db.execute(sa.insert(MARKS).values(name="count", at=0.0))
    program = (
        "import sys; import sqlalchemy as sa\n"
        "from resonate_tests.resources.storage.test_database import MARKS, transaction\n"
        "for _ in range(50):\n"
        "    with transaction(sys.argv[1]) as db:\n"
        "        value = db.execute(sa.select(MARKS.c.at)).scalar()\n"
        "        db.execute(sa.update(MARKS).values(at=value + 1))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    with transaction(url) as db:
        assert db.execute(sa.select(MARKS.c.at)).scalar() == 150
    assert database(url) is database(url)


class PostgresError(Exception):
    def __init__(self, pgcode: str | None) -> None:
        super().__init__("told by the server")
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("pgcode", "passes"),
    [
        *((code, True) for code in ("40001", "40P01", "57P01", "08006", "53300", None)),
        *((code, False) for code in ("42P01", "23505")),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(pgcode: str | None, passes: bool) -> None:
    assert may_pass(sa.exc.OperationalError("SELECT", {}, PostgresError(pgcode))) == passes


def test_work_that_failed_for_a_reason_that_passes_is_done_whole_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_resources.storage.database._FIRST_PAUSE_SECONDS", 0.01)
    tries = []

    def work(db: sa.Connection) -> str:
        tries.append(db)
        db.execute(sa.insert(MARKS).values(name="a", at=0.0))
        if len(tries) < 3:
            raise sa.exc.OperationalError("COMMIT", {}, PostgresError("40001"))
        return "done"

    assert done(url_of(tmp_path), work) == "done"
    with transaction(url_of(tmp_path)) as db:
        assert db.execute(sa.select(MARKS.c.name)).scalars().all() == ["a"]


def test_what_will_not_pass_is_raised_at_once(tmp_path: Path) -> None:
    tries = []

    def work(db: sa.Connection) -> None:
        tries.append(db)
        db.execute(sa.text("SELECT 1 FROM nowhere"))

    with pytest.raises(sa.exc.OperationalError, match="no such table"):
        done(url_of(tmp_path), work)
    assert len(tries) == 1


# What can't be used


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refused(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RESONATE_DATABASE", url)
    with pytest.raises(DatabaseError) as caught, transaction(url):
        pass
    told = str(caught.value)
    assert told.startswith("RESONATE_DATABASE: ")
    assert told.isprintable()
    assert "geheim" not in told
    return told


def test_a_silent_server_is_told_within_half_a_minute(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    told = refused(f"postgresql+psycopg2://me:geheim@127.0.0.1:{silent}/songs", monkeypatch)
    assert time.monotonic() - began < 30
    assert f"postgresql://me@127.0.0.1:{silent}/songs: can't be used (" in told
    assert "timeout" in told


def test_a_server_that_is_not_there_is_told_with_its_host(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "Connection refused" in refused(f"postgresql://me:geheim@127.0.0.1:{port}/d", monkeypatch)


def test_a_password_is_taken_out_of_what_a_server_says() -> None:
    error = sa.exc.OperationalError("CONNECT", {}, PostgresError("28P01"))
    error.orig = ValueError("FATAL:  password geheim is not that of me\nDETAIL:  none")
    assert reason_of(error, "postgresql://me:geheim@h/d") == "FATAL:  password *** is not that of me"


def test_sqlite_where_no_file_can_be_is_one_line_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "resonate.sqlite"
    assert f"{place}: can't be used (" in refused(f"sqlite:///{place}", monkeypatch)


@pytest.mark.parametrize("name", [b"h4?x", b"100%41", b"a:b@c #1", b"h\xe9me", "🎸".encode()])
def test_a_database_lies_in_the_folder_it_was_asked_for_whatever_that_is_called(
    name: bytes, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(name)
    with transaction(sqlite_url(folder / "resonate.sqlite")) as db:
        db.execute(sa.select(now()))
    assert list(tmp_path.iterdir()) == [folder]
    assert (folder / "resonate.sqlite").is_file()
