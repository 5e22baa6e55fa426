"""Pruning: runs of which nothing counts any more are taken out of Dagster's event log, which forgets nothing.

What counts is the latest materialisation of each asset and partition: without it the partition would be missing,
and everything made from it out of date (dagster #18369).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from resonate_assets.forgetting import forget_run

_PAGE = 500
_PARTITION = "dagster/partition"
"""The tag by which Dagster tells the partition of a run."""
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune(
    instance: dg.DagsterInstance, older_than_seconds: float, limit: int = 1000, seconds: float = 600.0
) -> int:
    """Delete runs that ended so long ago, where all they made or were to make has been made anew by a later run.

    At most `limit` of them, and none begun after `seconds`. Returns how many. One reading of the runs' records; the
    events of a run are read only where another run of its partition came after it.
    """
    end = time.monotonic() + seconds
    removed = 0
    for run_id in _overtaken(instance, older_than_seconds):
        if removed >= limit or time.monotonic() > end:
            break
        if not _counts(instance, run_id):
            forget_run(instance, run_id)
            removed += 1
    return removed


def _overtaken(instance: dg.DagsterInstance, older_than_seconds: float) -> Iterator[str]:
    """Finished runs, oldest first, of which a later one had the same partition (or job, where there is none)."""
    before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    latest: dict[str, tuple[str, bool]] = {}
    for record in _records(instance, _FINISHED):
        run = record.dagster_run
        what = run.tags.get(_PARTITION) or f"job {run.job_name}"
        if what in latest and latest[what][1]:
            yield latest[what][0]
        ended = record.end_time or record.update_timestamp.timestamp()
        latest[what] = run.run_id, ended < before.timestamp()


def _records(instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus]) -> Iterator[dg.RunRecord]:
    """Oldest first, page by page: what is deleted meanwhile is behind the page."""
    cursor: str | None = None
    while page := instance.get_run_records(
        dg.RunsFilter(statuses=statuses), limit=_PAGE, cursor=cursor, ascending=True
    ):
        cursor = page[-1].dagster_run.run_id
        yield from page


def _counts(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether something that the run made, or was to make and failed to, has not been made since."""
    of_type = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    for entry in instance.all_logs(run_id, of_type=of_type):
        event = entry.get_dagster_event()
        if event.asset_key is None:
            continue
        wanted = dg.AssetRecordsFilter(
            event.asset_key, asset_partitions=[event.partition] if event.partition else None
        )
        newest = instance.fetch_materializations(wanted, limit=1).records
        if not newest or newest[0].run_id == run_id or newest[0].timestamp < entry.timestamp:
            return True
    return False
