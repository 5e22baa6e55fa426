"""The shared database across versions of Resonate: no row is lost, no processes clash, no later one is touched."""

from __future__ import annotations

import importlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import resonate_resources
from resonate_resources.storage import schema
from resonate_resources.storage.current import current_of
from resonate_resources.storage.database import DatabaseError, database, tables, transaction

BEFORE = Path(__file__).parent / "databases" / "before_migrations.sql"
"""What the last version without migrations made, rows in each table."""
SONG = "bjork-joga-0123456789ab"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "resonate.sqlite"


@pytest.fixture
def before(file: Path) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(BEFORE.read_text())
    return file


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def all_tables() -> sa.MetaData:
    """Those of every module that has any."""
    root = Path(resonate_resources.__file__).parent
    for path in root.rglob("*.py"):
        if "migrations" not in path.parts and "sa.Table(" in path.read_text():
            module = ".".join(path.relative_to(root.parent).with_suffix("").parts)
            importlib.import_module(module)
    return tables


def differences(url: str) -> list[Any]:
    """What Alembic would change to make the database what the code says, in our own tables."""
    metadata = all_tables()

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or name in metadata.tables

    with database(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
        return list(compare_metadata(context, metadata))


def rows_in(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table → its rows, of the tables and columns that the version before knew."""
    with closing(sqlite3.connect(":memory:")) as known, closing(sqlite3.connect(file)) as connection:
        known.executescript(BEFORE.read_text())
        found = {}
        for (table,) in known.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = [f'"{row[1]}"' for row in known.execute(f"PRAGMA table_info({table})")]
            found[table] = sorted(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"))
        return found


def test_a_new_database_has_the_tables_that_the_code_works_with(file: Path) -> None:
    with transaction(url_of(file)):
        pass
    assert differences(url_of(file)) == []


def test_a_database_of_before_there_were_versions_is_brought_up_and_loses_no_row(before: Path) -> None:
    earlier = rows_in(before)
    assert all(earlier[table] for table in earlier.keys() - {"inboxes"})
    with transaction(url_of(before)):
        pass
    assert differences(url_of(before)) == []
    assert rows_in(before) == earlier
    assert current_of(url_of(before), [SONG])[SONG]["profile"].measures["tempo_bpm"] == 128.0


def test_tables_that_were_never_used_by_then_are_no_hindrance(before: Path) -> None:
    with closing(sqlite3.connect(before)) as connection:
        connection.executescript("DROP TABLE lalal_jobs; DROP TABLE attempts_of_tracks")
    with transaction(url_of(before)):
        pass
    assert differences(url_of(before)) == []


def test_a_column_that_no_migration_makes_would_be_noticed(file: Path) -> None:
    with transaction(url_of(file)) as db:
        db.execute(sa.text("ALTER TABLE tracks DROP COLUMN album"))
    assert [(kind, column.name) for kind, _, _, column in differences(url_of(file))] == [
        ("add_column", "album")
    ]


def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(before: Path) -> None:
    url, earlier = url_of(before), rows_in(before)

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        if "CREATE TABLE fingerprints" in statement:
            raise KeyboardInterrupt

    sa.event.listen(database(url), "before_cursor_execute", fail)
    with pytest.raises(KeyboardInterrupt), transaction(url):
        pass
    sa.event.remove(database(url), "before_cursor_execute", fail)
    with closing(sqlite3.connect(before)) as connection:
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    assert names == earlier.keys()
    with transaction(url):
        pass
    assert differences(url) == []


def test_a_database_of_a_later_version_is_refused_in_one_line_and_not_touched(file: Path) -> None:
    with transaction(url_of(file)):
        pass
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE resonate_version SET version_num = '9999'")
        connection.commit()
        content = list(connection.iterdump())
    program = (
        "import sys; from resonate_resources.storage.database import transaction\n"
        "with transaction(sys.argv[1]): pass\n"
    )
    refused = subprocess.run(
        [sys.executable, "-c", program, url_of(file)], capture_output=True, text=True, check=False
    )
    [line] = [line for line in refused.stderr.splitlines() if "DatabaseError: " in line]
    assert f"{file}: can't be used (its tables have version 9999" in line
    with closing(sqlite3.connect(file)) as connection:
        assert list(connection.iterdump()) == content


def test_a_file_that_is_no_database_is_one_line(file: Path) -> None:
    file.write_bytes(b"no database at all, however long it is" * 100)
    told = r"resonate.sqlite: can't be used \(file is not a database\)"
    with pytest.raises(DatabaseError, match=told), transaction(url_of(file)):
        pass


@pytest.mark.parametrize("kind", ["new", "of before"])
def test_processes_that_begin_at_once_do_not_clash(
    kind: str, file: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "of before":
        request.getfixturevalue("before")
    program = (
        "import sys; from resonate_resources.storage.database import transaction\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with transaction(sys.argv[1]): pass\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, url_of(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert [process.wait() for process in processes] == [0] * 4
    assert differences(url_of(file)) == []


def test_a_database_that_is_up_to_date_is_opened_without_alembic(file: Path) -> None:
    with transaction(url_of(file)):
        pass
    program = (
        "import sys; from resonate_resources.storage.database import transaction\n"
        "with transaction(sys.argv[1]): pass\n"
        "print('alembic' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", program, url_of(file)], capture_output=True, check=True)
    assert told.stdout == b"False\n"


def test_versions_of_other_programs_tables_in_the_same_database_are_theirs(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num VARCHAR(32));"
            "INSERT INTO alembic_version VALUES ('7e2f3204cf8e')"
        )
    with transaction(url_of(file)) as db:
        assert db.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all() == [
            "7e2f3204cf8e"
        ]
        assert schema.version_of(db) == schema.latest()


@pytest.mark.parametrize(
    "change", ["DELETE FROM resonate_version", "UPDATE resonate_version SET version_num = ''"]
)
def test_a_database_whose_version_is_lost_is_refused_in_one_line_and_not_touched(
    file: Path, change: str
) -> None:
    with transaction(url_of(file)):
        pass
    changed = file.with_name("changed.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(change)
        connection.commit()
        content = list(connection.iterdump())
        connection.execute("VACUUM INTO ?", (str(changed),))  # this process knows the other as up to date
    told = (
        rf"changed\.sqlite: can't be used \(its table resonate_version says ''.*write {schema.latest()} there"
    )
    with pytest.raises(DatabaseError, match=told), transaction(url_of(changed)):
        pass
    with closing(sqlite3.connect(changed)) as connection:
        assert list(connection.iterdump()) == content
