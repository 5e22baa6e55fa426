"""Runs whose process is dead: reported failed by whoever sees it first. Nothing waits for them meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import dagster as dg
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

from resonate_resources.storage.heartbeats import Watch, claim, forget, heartbeats

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDED]
PARTITION_TAG = "dagster/partition"
"""Of a run for one track (Dagster's documentation, "Tags", names it as reserved)."""

PRIORITY_TAG = "dagster/priority"
"""An integer as text: of the runs that wait, the highest go first (the same page)."""

BEATS = {".dagster/resonate_beats": "yes"}
"""Tags of runs that are known to show signs of life from their first moments on. The web UI keeps tags
that begin so to itself, until all of a run are asked for."""
_FIRST_BEAT_SECONDS = 600.0
_SURE_AFTER_SECONDS = 60.0
"""Between a run's last beat and its end, Dagster writes down that it has ended."""
_RETRIED_WITHIN = timedelta(hours=1)
_NOT_RETRIED = "Failed to retry run"
"""What Dagster's daemon tells of a run where it can't load the code at that moment, and then leaves it for ever
(`consume_new_runs_for_automatic_reexecution` in dagster/_daemon/auto_run_reexecution)."""


@runtime_checkable
class HandsOver(Protocol):
    """A launcher that hands runs to a broker: see `run_queue`."""

    def hand_over_again(self) -> list[str]: ...


def tracks_under_way(instance: dg.DagsterInstance, job: str | None = None) -> set[str]:
    """Tracks for which a run (of that job, or of any) waits or works."""
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}


def report_dead_runs(instance: dg.DagsterInstance, database: str, watch: Watch) -> list[str]:
    """Report runs failed that this watch has seen dead; gives a line for each. To be called again and again.

    Only the heartbeat counts, by which a run on any host is judged. A run that was killed before its first one has
    none after ten minutes.
    """
    told = []
    beating = heartbeats(database, "run")
    for silent in _never_alive(instance, {one.name for one in beating}, watch):
        line = "the process of this run never showed a sign of life; process the track again"
        instance.report_run_failed(silent, line)
        told.append(f"{silent.tags.get(PARTITION_TAG, silent.job_name)}: {line}")
    for dead in watch.dead(beating):
        run = instance.get_run_by_id(dead.name)
        if run is None or not claim(database, dead):  # another instance's, or another watcher's
            continue
        if run.status not in ENDED:
            line = (
                f"the process of this run (host {dead.host}, process {dead.pid}) has shown no sign of life for "
                f"{dead.age:.0f} s: it was killed, or stands still; process the track again"
            )
            instance.report_run_failed(run, line)
            told.append(f"{dead.track or run.job_name}: {line}")
        forget(database, dead)
    return told


def retry_what_was_left(instance: dg.DagsterInstance) -> list[str]:
    """Have runs retried that Dagster wanted to retry and could not, as after a database that was away: gives a line
    for each. To be called where the code is loaded: from a sensor. What is reported failed once more is looked at
    once more."""
    if not instance.run_retries_enabled:
        return []
    since = datetime.now(UTC) - _RETRIED_WITHIN
    failed = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], tags={WILL_RETRY_TAG: "false"}, updated_after=since
    )
    told = []
    for run in instance.get_runs(failed):
        if AUTO_RETRY_RUN_ID_TAG in run.tags:
            continue
        if _was_left(instance, run.run_id):
            # Before the event, which Dagster's daemon may read before the tag that goes with it is there.
            instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
            instance.report_run_failed(run, "it could not be retried when it failed; it is now")
            told.append(f"{run.tags.get(PARTITION_TAG, run.job_name)}: is retried after all")
    return told


def _was_left(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run could not be retried since it was last reported failed."""
    kinds = {dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_FAILURE}
    left = False
    for record in instance.get_records_for_run(run_id, of_type=kinds).records:
        event = record.event_log_entry.get_dagster_event()
        left = not event.is_run_failure and (left or event.message == _NOT_RETRIED)
    return left


def _never_alive(instance: dg.DagsterInstance, beating: set[str], watch: Watch) -> list[dg.DagsterRun]:
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags=BEATS))
    before = time.time() - _FIRST_BEAT_SECONDS
    silent = {
        record.dagster_run.run_id: record.dagster_run
        for record in started
        if record.dagster_run.run_id not in beating and (record.start_time or before) <= before
    }
    return [silent[run_id] for run_id in watch.lasting(silent, _SURE_AFTER_SECONDS)]
