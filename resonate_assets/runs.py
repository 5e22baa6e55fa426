"""Runs whose process is dead: reported failed by whoever sees it first. Nothing waits for them meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import dagster as dg
from dagster._core.errors import DagsterRunNotFoundError
from dagster._core.events import RunFailureReason
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG, WILL_RETRY_TAG

from resonate_resources.storage.heartbeats import Watch, claim, forget, heartbeats

FAILED = dg.DagsterRunStatus.FAILURE
ENDED = (dg.DagsterRunStatus.SUCCESS, FAILED, dg.DagsterRunStatus.CANCELED)
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
"""Between a run's last beat and its end, Dagster writes down that it has ended; between its making and its waiting
in the queue, that it waits."""
_RETRIED_WITHIN = timedelta(hours=1)
_TAKEN_UP_AFTER_SECONDS = 60.0
"""Dagster's daemon looks for failed runs every five seconds."""
_TOLD_AGAIN = 5
"""At most: a job that is gone from the code can't be retried, however often it is asked for."""


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
    none after ten minutes. One that was made and never queued, which takes a moment, is deleted: it would count as
    waiting for ever, and, where it is to be a retry, as one that is there.
    """
    told = []
    beating = heartbeats(database, "run")
    for silent in _never_alive(instance, {one.name for one in beating}, watch):
        if silent.status == dg.DagsterRunStatus.NOT_STARTED:
            line = "a run that was made and never queued, as where a disk is full between the two, is deleted"
            instance.delete_run(silent.run_id)
        else:
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


def retry_what_was_left(instance: dg.DagsterInstance, watch: Watch) -> list[str]:
    """Have runs retried that Dagster was to retry and has not, as after a database that was away or full: gives a
    line for each. To be called again and again, where the code is loaded: from a sensor.

    Dagster's daemon tries once for each report of a failure, and leaves a run for ever where it can't load the code
    or write to the database at that moment (`consume_new_runs_for_automatic_reexecution` in
    dagster/_daemon/auto_run_reexecution). So it is told again that the run has failed.
    """
    if not instance.run_retries_enabled:
        return []
    since = datetime.now(UTC) - _RETRIED_WITHIN
    records = instance.get_run_records(dg.RunsFilter(statuses=[FAILED], updated_after=since))
    left = {
        f"{record.dagster_run.run_id} {record.update_timestamp}": record.dagster_run
        for record in records
        if _left(instance, record.dagster_run)
    }
    told = []
    for name in sorted(watch.lasting(left, _TAKEN_UP_AFTER_SECONDS)):
        run = left[name]
        reports = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
        if len(reports) > _TOLD_AGAIN:
            continue
        # Before the event, which Dagster's daemon may read before the tag that goes with it is there.
        instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
        instance.report_run_failed(run, "it could not be retried when it failed; it is now")
        told.append(f"{run.tags.get(PARTITION_TAG, run.job_name)}: is retried after all")
    return told


def _left(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a failed run may be retried once more, and no retry of it has been submitted. Failures of a stage are
    the automation's."""
    of_a_stage = run.tags.get(RUN_FAILURE_REASON_TAG) == RunFailureReason.STEP_FAILURE.value
    if of_a_stage or run.remote_job_origin is None:  # Dagster retries what it can find in the code
        return False
    try:
        _, group = instance.get_run_group(run.run_id) or ("", [run])
    except DagsterRunNotFoundError:  # the first of them was removed
        return False
    submitted = [one for one in group if one.status != dg.DagsterRunStatus.NOT_STARTED]
    retried = any(one.parent_run_id == run.run_id for one in submitted)
    return not retried and len(submitted) <= instance.run_retries_max_retries


def _never_alive(instance: dg.DagsterInstance, beating: set[str], watch: Watch) -> list[dg.DagsterRun]:
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags=BEATS))
    before = time.time() - _FIRST_BEAT_SECONDS
    silent = {
        record.dagster_run.run_id: record.dagster_run
        for record in started
        if record.dagster_run.run_id not in beating and (record.start_time or before) <= before
    }
    made = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED]))
    silent |= {run.run_id: run for run in made}
    return [silent[run_id] for run_id in watch.lasting(silent, _SURE_AFTER_SECONDS)]
