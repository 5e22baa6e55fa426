"""What Dagster's databases tell of runs, sensors and daemons, by queries that count in the database: its own API
gives runs one by one, of which there are as many as there are tracks. Tables as of Dagster 1.13.27."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg
import sqlalchemy as sa
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorStatus, SensorInstigatorData
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable

from resonate_resources.storage.heartbeats import heartbeats

QUEUE_TAG = "resonate/queue"
"""Of a run that waits for workers of one kind; a run without it is in the queue `default`."""
_DEFAULT = "default"
_WAITING = ("QUEUED", "NOT_STARTED", "STARTING")
"""STARTING: with a broker, until a worker has it; else for the moment in which its process starts."""


class Queue(NamedTuple):
    """Runs that wait. oldest: when the oldest was asked for, in seconds since 1970."""

    name: str
    runs: int
    oldest: float | None


def queues(instance: dg.DagsterInstance) -> list[Queue]:
    """Every queue in which something waits, and `default`, empty or not."""
    tag = sa.and_(RunTagsTable.c.run_id == RunsTable.c.run_id, RunTagsTable.c.key == QUEUE_TAG)
    name = sa.func.coalesce(RunTagsTable.c.value, _DEFAULT).label("queue")
    query = (
        sa.select(name, sa.func.count(), sa.func.min(RunsTable.c.create_timestamp))
        .select_from(RunsTable.outerjoin(RunTagsTable, tag))
        .where(RunsTable.c.status.in_(_WAITING))
        .group_by(name)
    )
    found = {
        str(queue): Queue(str(queue), count, _seconds(at)) for queue, count, at in _rows(instance, query)
    }
    return sorted([*found.values(), *([] if _DEFAULT in found else [Queue(_DEFAULT, 0, None)])])


def runs_by_status(
    instance: dg.DagsterInstance, since: float | None = None
) -> Mapping[str, tuple[int, float]]:
    """Status → how many runs have it, and when the last of them came to it, in seconds since 1970. since: only
    those that came to it later."""
    changed = RunsTable.c.update_timestamp
    query = sa.select(RunsTable.c.status, sa.func.count(), sa.func.max(changed)).group_by(RunsTable.c.status)
    if since is not None:
        statuses = [status.value for status in dg.DagsterRunStatus]  # so that the index on both is of use
        after = datetime.fromtimestamp(since, UTC).replace(tzinfo=None)
        query = query.where(RunsTable.c.status.in_(statuses), changed > after)
    return {str(status): (count, _seconds(at)) for status, count, at in _rows(instance, query)}


def sensor_ticks(instance: dg.DagsterInstance) -> Mapping[str, float]:
    """Sensor that is on → its last tick, in seconds since 1970."""
    found: dict[str, float] = {}
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        data = state.instigator_data
        ticked = data.last_tick_timestamp if isinstance(data, SensorInstigatorData) else None
        if state.status != InstigatorStatus.STOPPED and ticked is not None:
            found[state.instigator_name] = max(ticked, found.get(state.instigator_name, 0.0))
    return found


def daemon_age(url: str, instance: dg.DagsterInstance, now: float) -> float | None:
    """Seconds since a daemon last showed a sign of life; None where none ever did. now: seconds since 1970.

    Dagster's beats are by the clock of the daemon's machine; one that `resonate daemon` started shows signs of life
    in Resonate's database, too, by that one's clock."""
    ages = [now - beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    ages += [one.age for one in heartbeats(url, "daemon")]
    return max(0.0, min(ages)) if ages else None


def _rows(instance: dg.DagsterInstance, query: Any) -> list[Any]:
    storage: Any = instance.run_storage
    with storage.connect() as connection:
        return list(connection.execute(query))


def _seconds(moment: datetime | None) -> float:
    """Dagster writes times without a zone, which are UTC."""
    return moment.replace(tzinfo=UTC).timestamp() if moment is not None else 0.0
