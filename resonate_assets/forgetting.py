"""What Dagster keeps of a track beyond its runs, and of a run beyond its events: forgotten, too.

`DagsterInstance.delete_run` (1.13.27) leaves the evaluations of checks, the output of processes, and on SQLite the
file that held a run's events. That a track was asked for stands in ticks of sensors and of the automation, and in
what is shown as the last materialisation of each asset.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.scheduler.instigation import SensorInstigatorData, TickData, TickStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.schedules.schema import AssetDaemonAssetEvaluationsTable, JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster._serdes import deserialize_value, serialize_value

_BESIDE = ("", "-wal", "-shm")
"""What SQLite keeps of a database (sqlite.org/tempfiles.html)."""
_LISTS = (dg.AssetKey("library"), dg.AssetKey("rejections"))
"""Assets that tell names of tracks and files; they are made anew each night."""
_PAGE = 100
_OUTSIDE_OF_RUNS = ""
"""The run of events that are reported by hand."""


def forget_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with all that is kept of it. Raises OSError and SQLAlchemyError."""
    instance.delete_run(run_id)
    log = instance.event_log_storage
    if isinstance(log, SqlEventLogStorage):
        with log.index_connection() as db:
            db.execute(
                sa.delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.run_id == run_id)
            )
    if isinstance(log, SqliteEventLogStorage):
        for end in _BESIDE:
            Path(log.path_for_shard(run_id) + end).unlink(missing_ok=True)
    instance.compute_log_manager.delete_logs(prefix=[run_id])


def forget_in_records(instance: dg.DagsterInstance, track: str) -> None:
    """Delete what else names a track, which has no runs any more: earlier lists of all tracks, events outside of
    runs, and ticks. What names others, too, goes as a whole: it is history. Raises OSError and SQLAlchemyError."""
    for asset in _LISTS:
        for run_id in _makers(instance, asset):
            if (run := instance.get_run_by_id(run_id)) is not None and run.is_finished:
                forget_run(instance, run_id)
    log, ticks = instance.event_log_storage, instance.schedule_storage
    if isinstance(log, SqlEventLogStorage):
        _forget_events(instance, log, track)
    if isinstance(ticks, SqlScheduleStorage):
        _forget_ticks(instance, ticks, track)


def _makers(instance: dg.DagsterInstance, asset: dg.AssetKey) -> set[str]:
    """Runs that made an asset."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(asset, limit=_PAGE, cursor=cursor)
        found |= {record.run_id for record in page.records}
        cursor = page.cursor
        if not page.has_more:
            return found


def _forget_events(instance: dg.DagsterInstance, log: SqlEventLogStorage, track: str) -> None:
    events = sa.delete(SqlEventLogStorageTable).where(SqlEventLogStorageTable.c.partition == track)
    with log.run_connection(_OUTSIDE_OF_RUNS) as db:
        db.execute(events)
    names = AssetKeyTable.c.last_materialization, AssetKeyTable.c.cached_status_data
    with log.index_connection() as db:
        db.execute(events)
        db.execute(sa.delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.partition == track))
        last, status = (
            list(db.execute(sa.select(AssetKeyTable.c.asset_key).where(_tells(column, track))).scalars())
            for column in names
        )
    for key in last:
        asset = dg.AssetKey.from_db_string(key)
        left = instance.fetch_materializations(asset, limit=1).records if asset else []
        told = serialize_value(left[0].event_log_entry) if left else None
        changed = sa.update(AssetKeyTable).where(AssetKeyTable.c.asset_key == key)
        with log.index_connection() as db:
            db.execute(changed.values(last_materialization=told))
    instance.wipe_asset_cached_status([asset for key in status if (asset := dg.AssetKey.from_db_string(key))])


def _forget_ticks(instance: dg.DagsterInstance, ticks: SqlScheduleStorage, track: str) -> None:
    tables: Sequence[tuple[sa.Table, str]] = (
        (AssetDaemonAssetEvaluationsTable, "asset_evaluation_body"),
        (JobTickTable, "tick_body"),
    )
    over = JobTickTable.c.status != TickStatus.STARTED.value  # one under way is written once more
    for state in instance.all_instigator_state():
        data = state.instigator_data
        if isinstance(data, SensorInstigatorData) and data.last_run_key and track in data.last_run_key:
            instance.update_instigator_state(state.with_data(data._replace(last_run_key=None)))
    with ticks.connect() as db:
        told = db.execute(
            sa.select(JobTickTable.c.tick_body).where(_tells(JobTickTable.c.tick_body, track), over)
        )
        logs = [deserialize_value(body, TickData).log_key for body in told.scalars()]
        for table, column in tables:
            where = _tells(table.c[column], track)
            db.execute(
                sa.delete(table).where(where, over)
                if table is JobTickTable
                else sa.delete(table).where(where)
            )
    for log_key in filter(None, logs):
        instance.compute_log_manager.delete_logs(log_key=log_key)


def _tells(column: sa.ColumnElement[str], track: str) -> sa.ColumnElement[bool]:
    return column.contains(track, autoescape=True)
