"""Schedules: every night, what the sensors missed, the state of the library, and what else keeps it in order."""

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import PARTITION_NAME_TAG

from resonate_assets.jobs import STAGES, process_track, update_library
from resonate_assets.partitions import partitions_of, tracks
from resonate_assets.upkeep import upkeep
from resonate_resources.ingestion.intake import take_in
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.current import tracks_with
from resonate_resources.storage.ledger import enter_tracks
from resonate_resources.storage.resource import StorageResource

_PER_NIGHT = 1000
"""Tracks asked for in one night: with more, the queue would hide what the day brings."""


@dg.schedule(job=process_track, cron_schedule="0 2 * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def nightly_ingest(
    context: dg.ScheduleEvaluationContext, storage: StorageResource, inbox: InboxResource
) -> list[dg.RunRequest]:
    """Registers files that no sensor took (switched off, or the machine was), and asks again for tracks
    that never came to their last stage though their file is sound: a run that was lost, or killed half-way."""
    name = str(tracks.name)
    inboxes = [place for place in (inbox.watched_folder(), inbox.watched_bucket()) if place is not None]
    for place in inboxes:
        intake = take_in(
            place, storage, partitions_of(context.instance), waiting={}, emitted={}, limit=_PER_NIGHT
        )
        context.instance.add_dynamic_partitions(name, [source.track for source in intake.new])
    unfinished = context.instance.get_runs(
        dg.RunsFilter(job_name=process_track.name, statuses=list(NOT_FINISHED_STATUSES))
    )
    under_way = {run.tags.get(PARTITION_NAME_TAG) for run in unfinished}
    rejected = {rejection.track for rejection in storage.sources.rejections()}
    finished = tracks_with(storage.database, STAGES[-1])
    present = context.instance.get_dynamic_partitions(name)
    # Partitions that something else has added are known by their content from now on.
    enter_tracks(storage.database, {content_of(track): track for track in present})
    lost = [
        track
        for track in present
        if track not in finished and track not in rejected and track not in under_way
    ]
    day = context.scheduled_execution_time.date().isoformat()
    return [
        dg.RunRequest(run_key=f"{track}-{day}", partition_key=track) for track in sorted(lost)[:_PER_NIGHT]
    ]


nightly_library = dg.ScheduleDefinition(
    name="nightly_library",
    job=update_library,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The catalogue, with its check of failed and stale tracks.",
)

nightly_upkeep = dg.ScheduleDefinition(
    name="nightly_upkeep",
    job=upkeep,
    cron_schedule="0 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The index of what is current compared with storage, and old runs taken out of the event log.",
)
