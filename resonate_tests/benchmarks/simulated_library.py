"""A library of any size without its audio: what Dagster and the database know of its tracks.

One track is run through a graph that has the real one's keys, dependencies, conditions and checks, with bodies that
make nothing. Its rows are then written again for every other track, past Dagster, whose own calls take milliseconds
an event. Left out: log lines, and events of steps and checks; what checks found is there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import sqlalchemy as sa

from resonate_assets.definitions import CHECKS, TRACK_ASSETS
from resonate_assets.partitions import tracks
from resonate_resources.ingestion.track_key import track_key
from resonate_resources.storage.current import record_all
from resonate_resources.storage.manifest import Manifest
from resonate_tests.manifests import manifest

_BATCH = 500
_PATTERN = track_key("Band", "Song 0", hashlib.sha256(b"0").hexdigest())
_KEPT = "('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED')"


def track_names(count: int) -> list[str]:
    """Keys as ingestion makes them."""
    return [
        track_key("Band", f"Song {number}", hashlib.sha256(str(number).encode()).hexdigest())
        for number in range(count)
    ]


def hollow_graph() -> dg.Definitions:
    """The stages of a track with bodies that make nothing."""
    stages = [_hollow_stage(stage) for stage in TRACK_ASSETS]
    checks = [_hollow_check(spec) for check in CHECKS for spec in check.check_specs]
    job = dg.define_asset_job("process_track", dg.AssetSelection.all(), partitions_def=tracks)
    return dg.Definitions(stages, asset_checks=checks, jobs=[job], executor=dg.in_process_executor)


def _hollow_stage(stage: dg.AssetsDefinition) -> dg.AssetsDefinition:
    spec = stage.get_asset_spec()

    @dg.multi_asset(name=spec.key.path[-1], specs=[spec], partitions_def=stage.partitions_def)
    def hollow() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(
            metadata={"engine": "none", "seconds": 1.0, "loudness_lufs": -14.0, "folder": "/studio"},
            data_version=dg.DataVersion(_data_version(spec.key.path[-1])),
        )

    return hollow


def _data_version(stage: str) -> str:
    return hashlib.sha256(stage.encode()).hexdigest()


def _hollow_check(spec: dg.AssetCheckSpec) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"hollow_{spec.name}", specs=[spec])
    def check() -> Iterator[dg.AssetCheckResult]:
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key, check_name=spec.name, passed=True, metadata={"frames": 1}
        )

    return check


def fill_index(url: str, names: Sequence[str], old: Collection[str] = ()) -> None:
    """Give the database what publishing every stage of every track would have; stages in `old` by earlier code."""
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        record_all(url, [_manifest(stage, name, old) for name in batch for stage in TRACK_ASSETS])


def _manifest(stage: dg.AssetsDefinition, track: str, old: Collection[str]) -> Manifest:
    name = stage.key.path[-1]
    made_from = {
        dep.asset_key.path[-1]: _data_version(dep.asset_key.path[-1]) for dep in stage.get_asset_spec().deps
    }
    return manifest(
        name,
        track,
        data_version=_data_version(name),
        code_version="earlier" if name in old else stage.code_versions_by_key[stage.key] or "",
        made_from=made_from,
        measures={
            **{"duration_s": 180.0, "loudness_lufs": -14.0, "sample_peak_dbfs": -1.0, "codec": "flac"},
            **{"master_total": 80.0 + len(track) % 20, "tempo_bpm": 80.0 + zlib.crc32(track.encode()) % 80},
            "camelot": f"{zlib.adler32(track.encode()) % 12 + 1}{'AB'[zlib.crc32(track.encode()) % 2]}",
        },
    )


def fill_dagster(instance: dg.DagsterInstance, names: Sequence[str]) -> None:
    """Give an empty instance these tracks, each with one run that made every stage. The first is names[0]."""
    if names[0] != _PATTERN:
        raise ValueError(f"the first of the tracks must be {_PATTERN}")
    for start in range(0, len(names), _BATCH):
        instance.add_dynamic_partitions(str(tracks.name), list(names[start : start + _BATCH]))
    job = hollow_graph().resolve_job_def("process_track")
    done = job.execute_in_process(instance=instance, partition_key=_PATTERN)
    assert done.success
    log, runs = instance.event_log_storage, instance.run_storage
    with _filling(log) as connection, _without_indexes(connection):
        _copy_events(connection, done.run_id, names[1:])
    with runs.connect() as connection:  # type: ignore[attr-defined]
        _copy(connection, done.run_id, names[1:], ("runs", "run_tags"))


@contextmanager
def _filling(log: Any) -> Iterator[sa.Connection]:
    """A connection to the event log; with SQLite, one that waits for no disk and keeps no journal."""
    if not hasattr(log, "conn_string_for_shard"):
        with log.index_connection() as connection:
            yield connection
        return
    engine = sa.create_engine(log.conn_string_for_shard("index"))
    with engine.connect() as connection:
        for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY"):
            connection.exec_driver_sql(f"PRAGMA {setting}").close()
        yield connection
        connection.commit()
        connection.exec_driver_sql("PRAGMA journal_mode=WAL").close()
    engine.dispose()


@contextmanager
def _without_indexes(connection: sa.Connection) -> Iterator[None]:
    """Made anew at the end: to bring them up to date row by row takes ten times as long, as they fit no cache."""
    of_tables = "('event_logs', 'asset_event_tags', 'asset_check_executions')"
    if connection.dialect.name == "postgresql":
        # Those of primary keys and unique columns belong to constraints, and stay.
        query = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {of_tables}"
        query += " AND indexdef NOT LIKE '%% UNIQUE %%'"
    else:
        query = f"SELECT name, sql FROM sqlite_master WHERE tbl_name IN {of_tables}"
        query += " AND type = 'index' AND sql IS NOT NULL"
    indexes = [tuple(row) for row in connection.exec_driver_sql(query)]
    for name, _ in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        connection.exec_driver_sql(definition)


def _copy(connection: sa.Connection, run_id: str, names: Sequence[str], tables: Sequence[str]) -> None:
    for table in tables:
        columns, pattern = _rows(connection, table, f"run_id = '{run_id}'")
        columns, text = columns[1:], json.dumps([row[1:] for row in pattern])  # without the id
        for start in range(0, len(names), _BATCH):
            made = [row for name in names[start : start + _BATCH] for row in _as(text, name, run_id)]
            _insert(connection, table, columns, made)


def _copy_events(connection: sa.Connection, run_id: str, names: Sequence[str]) -> None:
    of_run = f"run_id = '{run_id}' AND dagster_event_type IN {_KEPT}"
    columns, events = _rows(connection, "event_logs", of_run)
    ids = {row[0]: index for index, row in enumerate(events)}
    tag_columns, tags = _rows(connection, "asset_event_tags", f"event_id IN ({', '.join(map(str, ids))})")
    check_columns, checks = _rows(connection, "asset_check_executions", f"run_id = '{run_id}'")
    event_id = tag_columns.index("event_id")
    moved = [
        check_columns.index(name)
        for name in ("evaluation_event_storage_id", "materialization_event_storage_id")
    ]
    texts = [json.dumps(rows) for rows in (events, tags, checks)]
    free = int(connection.exec_driver_sql("SELECT max(id) FROM event_logs").scalar_one()) + 1
    for start in range(0, len(names), _BATCH):
        made: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        for name in names[start : start + _BATCH]:
            new = {old: free + index for old, index in ids.items()}
            free += len(ids)
            made[0].extend([new[row[0]], *row[1:]] for row in _as(texts[0], name, run_id))
            for row in _as(texts[1], name, run_id):
                row[event_id] = new[row[event_id]]
                made[1].append(row[1:])
            for row in _as(texts[2], name, run_id):
                for column in moved:
                    row[column] = new.get(row[column], row[column])
                made[2].append(row[1:])
        _insert(connection, "event_logs", columns, made[0])
        _insert(connection, "asset_event_tags", tag_columns[1:], made[1])
        _insert(connection, "asset_check_executions", check_columns[1:], made[2])
    if connection.dialect.name == "postgresql":
        sequence = "pg_get_serial_sequence('event_logs', 'id')"
        connection.exec_driver_sql(f"SELECT setval({sequence}, {free})")


def _rows(connection: sa.Connection, table: str, where: str) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows, times as text."""
    found = connection.exec_driver_sql(f"SELECT * FROM {table} WHERE {where} ORDER BY id")
    plain = (int, float, str, type(None))
    rows = [[value if isinstance(value, plain) else str(value) for value in row] for row in found]
    return list(found.keys()), rows


def _as(text: str, track: str, run_id: str) -> list[list[Any]]:
    """The pattern's rows as those of another track."""
    other_run = str(uuid.uuid5(uuid.NAMESPACE_OID, track))
    rows: list[list[Any]] = json.loads(text.replace(_PATTERN, track).replace(run_id, other_run))
    return rows


def _insert(
    connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        text = io.StringIO()
        csv.writer(text).writerows(["\\N" if value is None else value for value in row] for row in rows)
        text.seek(0)
        with connection.connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv, NULL '\\N')", text)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", [tuple(row) for row in rows]
        )
