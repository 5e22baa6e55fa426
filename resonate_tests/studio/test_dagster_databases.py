"""Dagster's databases are there whole or not at all, whenever the process that makes them is killed."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import click
import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from resonate_studio.dagster_databases import make_databases
from resonate_studio.dagster_storage import open_storage

NAMES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def shapes(home: Path) -> dict[str, set[str]]:
    """What each database is made of, in SQL, without what SQLite makes by itself."""
    found = {}
    for name in NAMES:
        with closing(sqlite3.connect(home / name)) as connection:
            found[name] = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master") if row[0]}
    return found


@pytest.fixture(scope="module")
def of_dagster(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """As Dagster makes them, undisturbed."""
    home = tmp_path_factory.mktemp("stock")
    with dg.DagsterInstance.from_config(str(home)):
        pass
    return shapes(home)


def use(home: Path) -> None:
    with open_storage(home) as instance:
        instance.add_dynamic_partitions("tracks", ["a-song"])
        assert instance.get_dynamic_partitions("tracks") == ["a-song"]
        assert instance.get_runs() == []
        assert instance.all_instigator_state() == []


def left_by_a_kill(database: Path, table: str | None) -> None:
    database.unlink(missing_ok=True)
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        if table:
            connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
            connection.commit()


@pytest.mark.parametrize(
    "tables", [(None, None, None), ("runs", "event_logs", "job_ticks"), ("alembic_version",) * 3]
)
def test_databases_that_were_half_made_and_hold_nothing_are_made_anew(
    tmp_path: Path, of_dagster: dict[str, set[str]], tables: tuple[str | None, ...]
) -> None:
    for name, table in zip(NAMES, tables, strict=True):
        left_by_a_kill(tmp_path / name, table)
    use(tmp_path)
    assert shapes(tmp_path) == of_dagster


def test_an_empty_file_in_a_databases_place_is_one_that_was_half_made(
    tmp_path: Path, of_dagster: dict[str, set[str]]
) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    use(tmp_path)
    assert shapes(tmp_path) == of_dagster


def test_databases_are_moved_in_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = DagsterSqliteStorage.from_local

    def broken_off(base_dir: str) -> DagsterSqliteStorage:
        make(base_dir)
        raise KeyboardInterrupt

    monkeypatch.setattr(DagsterSqliteStorage, "from_local", broken_off)
    with pytest.raises(KeyboardInterrupt):
        make_databases(tmp_path)
    assert not any((tmp_path / name).exists() for name in NAMES)
    monkeypatch.undo()
    use(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history", "schedules"]


def test_a_database_that_lacks_tables_and_holds_runs_is_completed(tmp_path: Path) -> None:
    with open_storage(tmp_path) as instance:
        instance.add_run(dg.DagsterRun("process_track", "r"))
    with closing(sqlite3.connect(tmp_path / "history" / "runs.db")) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("DROP TABLE kvs")
        connection.commit()
    with open_storage(tmp_path) as instance:
        assert [run.run_id for run in instance.get_runs()] == ["r"]
        assert instance.run_storage.get_cursor_values({"any"}) == {}


def test_a_database_that_cannot_be_completed_is_left_alone_and_one_line_says_what_to_do(
    tmp_path: Path,
) -> None:
    with open_storage(tmp_path) as instance:
        instance.add_dynamic_partitions("tracks", ["a-song"])
    index = tmp_path / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("DROP TABLE alembic_version")
        connection.execute("DROP TABLE event_logs")
        connection.commit()
    with pytest.raises(
        click.ClickException, match=r"index\.db: holds .*dynamic_partitions.*move it away"
    ) as told:
        open_storage(tmp_path)
    assert "\n" not in told.value.message
    with closing(sqlite3.connect(index)) as connection:
        assert connection.execute("SELECT partition FROM dynamic_partitions").fetchall() == [("a-song",)]


def test_a_home_is_used_after_a_kill_while_its_databases_were_being_made(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "resonate_studio.cli", "prepare", "--home", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESONATE_")}
    directory = tmp_path / "dagster_home"
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not any(directory.rglob("index.db")) and time.monotonic() < until:
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    with (directory / ".resonate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody is left who makes them
    use(directory)
