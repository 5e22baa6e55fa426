"""Dagster's storage in PostgreSQL over connections that are kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from resonate_tests.e2e.conftest import free_port
from resonate_tests.e2e.test_postgres import connect, postgresql

__all__ = ["free_port", "postgresql"]

_CONFIG = Path(__file__).parents[2] / "docker" / "dagster.yaml"


@pytest.fixture
def instance(
    postgresql: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    for name, value in postgresql.items():
        monkeypatch.setenv(name, value)
    shutil.copy(_CONFIG, tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as made:
        yield made


@dg.op
def nothing() -> None:
    pass


@dg.job(executor_def=dg.in_process_executor)
def of_nothing() -> None:
    nothing()


def connections(postgresql: dict[str, str]) -> tuple[int, list[int]]:
    """How many there have ever been but those of this function, and whose there are now."""
    with closing(connect(postgresql)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        there = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0]), there


def test_many_questions_of_many_instances_go_over_a_few_connections(
    instance: dg.DagsterInstance, postgresql: dict[str, str]
) -> None:
    before, _ = connections(postgresql)
    with dg.DagsterInstance.from_ref(instance.get_ref()) as second:
        for number in range(20):
            one = second if number % 2 else instance
            one.add_dynamic_partitions("tracks", [f"track {number}"])
            assert one.has_dynamic_partition("tracks", f"track {number}")
        assert of_nothing.execute_in_process(instance=second, tags={PARTITION_NAME_TAG: "track 1"}).success
    after, there = connections(postgresql)
    assert after - before <= 8  # tables are looked for at an instance's start by Dagster itself
    assert 1 <= len(there) <= 2
    assert len(instance.get_dynamic_partitions("tracks")) == 20


def test_a_connection_that_was_cut_is_replaced_and_nobody_notices(
    instance: dg.DagsterInstance, postgresql: dict[str, str]
) -> None:
    assert instance.get_runs() is not None
    _, there = connections(postgresql)
    assert there
    with closing(connect(postgresql)) as connection, connection.cursor() as cursor:
        for process in there:
            cursor.execute("SELECT pg_terminate_backend(%s)", (process,))
    assert instance.get_runs_count() >= 0
    instance.add_dynamic_partitions("tracks", ["after it"])
    assert instance.has_dynamic_partition("tracks", "after it")
