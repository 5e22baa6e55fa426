"""A library of any size without its audio: what Dagster, the database and the store know of its tracks.

One track is run through a graph that has the real one's keys, dependencies, conditions and checks, with bodies that
make nothing. Its rows are then written again for every other track, past Dagster, whose own calls take
milliseconds an event. Left out: log lines, and events of steps, which no listing reads.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import sqlalchemy as sa

from resonate_assets.definitions import CHECKS, TRACK_ASSETS
from resonate_assets.partitions import tracks
from resonate_resources.ingestion.track_key import track_key

_BATCH = 500

_PATTERN = track_key("Band", "Song 0", hashlib.sha256(b"0").hexdigest())


def track_names(count: int) -> list[str]:
    """Keys as ingestion makes them."""
    return [
        track_key("Band", f"Song {number}", hashlib.sha256(str(number).encode()).hexdigest())
        for number in range(count)
    ]


def hollow_graph() -> dg.Definitions:
    """The stages of a track with bodies that make nothing."""
    stages = [_hollow_stage(stage) for stage in TRACK_ASSETS]
    specs = [spec for check in CHECKS for spec in check.check_specs]
    checks = [_hollow_check(spec) for spec in specs]
    job = dg.define_asset_job("process_track", dg.AssetSelection.all(), partitions_def=tracks)
    return dg.Definitions(stages, asset_checks=checks, jobs=[job], executor=dg.in_process_executor)


def _hollow_stage(stage: dg.AssetsDefinition) -> dg.AssetsDefinition:
    spec = stage.get_asset_spec()

    @dg.multi_asset(name=spec.key.path[-1], specs=[spec], partitions_def=stage.partitions_def)
    def hollow() -> dg.MaterializeResult[None]:
        content = hashlib.sha256(f"{spec.key}".encode()).hexdigest()
        return dg.MaterializeResult(
            metadata={"engine": "none", "seconds": 1.0, "loudness_lufs": -14.0, "folder": "/studio"},
            data_version=dg.DataVersion(content),
        )

    return hollow


def _hollow_check(spec: dg.AssetCheckSpec) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name=f"hollow_{spec.name}", specs=[spec])
    def check() -> Iterator[dg.AssetCheckResult]:
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key, check_name=spec.name, passed=True, metadata={"frames": 1}
        )

    return check


def fill_dagster(instance: dg.DagsterInstance, names: Sequence[str]) -> None:
    """Give an empty instance these tracks, each with one run that made every stage."""
    instance.add_dynamic_partitions(str(tracks.name), [_PATTERN])
    done = (
        hollow_graph()
        .resolve_job_def("process_track")
        .execute_in_process(instance=instance, partition_key=_PATTERN)
    )
    assert done.success
    if _PATTERN not in names:
        raise ValueError(f"the first of the tracks must be {_PATTERN}")
    others = [name for name in names if name != _PATTERN]
    for start in range(0, len(others), _BATCH):
        instance.add_dynamic_partitions(str(tracks.name), others[start : start + _BATCH])
    copier = _Copier(done.run_id)
    log, runs = instance.event_log_storage, instance.run_storage
    with log.index_connection() as connection:  # type: ignore[attr-defined]
        copier.copy_events(connection, others)
    with runs.connect() as connection:  # type: ignore[attr-defined]
        copier.copy_runs(connection, others)


class _Copier:
    """Writes the rows of the pattern's run again for other tracks."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._ids: dict[str, str] = {}

    def _run_of(self, track: str) -> str:
        return self._ids.setdefault(track, str(uuid.uuid5(uuid.NAMESPACE_OID, track)))

    def _for(self, row: Mapping[str, Any], track: str) -> dict[str, Any]:
        changes = {_PATTERN: track, self._run_id: self._run_of(track)}
        values = {}
        for name, value in row.items():
            if isinstance(value, str):
                for old, new in changes.items():
                    value = value.replace(old, new)  # noqa: PLW2901
            values[name] = value
        return values

    def copy_events(self, connection: sa.Connection, names: Sequence[str]) -> None:
        tables = _tables(connection, "event_logs", "asset_event_tags", "asset_check_executions")
        events, tags, checks = tables
        pattern = _rows(
            connection,
            sa.select(events).where(events.c.run_id == self._run_id, events.c.asset_key.is_not(None)),
        )
        ids = [row["id"] for row in pattern]
        tag_rows = _rows(connection, sa.select(tags).where(tags.c.event_id.in_(ids)))
        check_rows = _rows(connection, sa.select(checks).where(checks.c.run_id == self._run_id))
        free = connection.execute(sa.select(sa.func.max(events.c.id))).scalar_one() + 1
        for start in range(0, len(names), _BATCH):
            made: tuple[list[Any], list[Any], list[Any]] = [], [], []
            for name in names[start : start + _BATCH]:
                renumbered = {old: free + index for index, old in enumerate(ids)}
                free += len(ids)
                made[0].extend(self._for(row, name) | {"id": renumbered[row["id"]]} for row in pattern)
                made[1].extend(
                    _without_id(self._for(row, name)) | {"event_id": renumbered[row["event_id"]]}
                    for row in tag_rows
                )
                made[2].extend(self._check(row, name, renumbered) for row in check_rows)
            for table, rows in zip(tables, made, strict=True):
                if rows:
                    connection.execute(sa.insert(table), rows)
        if connection.dialect.name == "postgresql":
            connection.execute(
                sa.text("SELECT setval(pg_get_serial_sequence('event_logs', 'id'), :last)"), {"last": free}
            )

    def _check(self, row: Mapping[str, Any], track: str, renumbered: Mapping[int, int]) -> dict[str, Any]:
        moved = {
            name: renumbered.get(row[name], row[name])
            for name in ("evaluation_event_storage_id", "materialization_event_storage_id")
            if row.get(name) is not None
        }
        return _without_id(self._for(row, track)) | moved

    def copy_runs(self, connection: sa.Connection, names: Sequence[str]) -> None:
        runs, tags = _tables(connection, "runs", "run_tags")
        run_rows = _rows(connection, sa.select(runs).where(runs.c.run_id == self._run_id))
        tag_rows = _rows(connection, sa.select(tags).where(tags.c.run_id == self._run_id))
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            for table, rows in ((runs, run_rows), (tags, tag_rows)):
                connection.execute(
                    sa.insert(table), [_without_id(self._for(row, name)) for name in batch for row in rows]
                )


def _tables(connection: sa.Connection, *names: str) -> tuple[sa.Table, ...]:
    known = sa.MetaData()
    return tuple(sa.Table(name, known, autoload_with=connection) for name in names)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _without_id(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}
