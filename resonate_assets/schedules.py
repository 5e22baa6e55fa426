"""Schedules: every night, what the sensors missed, the state of the library, and what else keeps it in order."""

import hashlib
import os
from dataclasses import replace

import dagster as dg

from resonate_assets.jobs import STAGES, process_track, update_library
from resonate_assets.partitions import partitions_of, tracks
from resonate_assets.runs import PARTITION_TAG, tracks_under_way
from resonate_assets.scan import scan_libraries
from resonate_assets.time_zone import TIME_ZONE
from resonate_assets.upkeep import upkeep
from resonate_resources.ingestion.intake import take_in
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.current import tracks_with
from resonate_resources.storage.heartbeats import tracks_in_use
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.retries import TRIES, Tries, due, hopeless, note_tries, tries_of_tracks
from resonate_resources.storage.taken_in import enter_tracks

_PER_NIGHT = 1000
"""Tracks asked for in one night: with more, the queue would hide what the day brings."""


@dg.schedule(
    job=process_track,
    cron_schedule="0 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone=TIME_ZONE,
    description="Every night at 2: takes in files that no sensor took, and asks again for tracks that were lost.",
)
def nightly_ingest(
    context: dg.ScheduleEvaluationContext, storage: StorageResource, inbox: InboxResource
) -> list[dg.RunRequest]:
    """Takes in files that no sensor took (switched off, or the machine was), and asks again for
    tracks that never came to their last stage though their file is sound: a run that was lost, or killed
    half-way. With growing pauses, and not for ever: see resonate_resources.storage.retries."""
    name = str(tracks.name)
    inboxes = [place for place in (inbox.watched_folder(), inbox.watched_bucket()) if place is not None]
    for place in inboxes:
        intake = take_in(
            place,
            storage,
            partitions_of(context.instance),
            waiting={},
            emitted={},
            limit=_PER_NIGHT,
            limits=inbox.limits,
        )
        context.instance.add_dynamic_partitions(name, [source.track for source in intake.new])
    rejected = {rejection.track for rejection in storage.sources.rejections()}
    finished = tracks_with(storage.database, STAGES[-1])
    present = context.instance.get_dynamic_partitions(name)
    # Partitions that something else has added are known by their content from now on.
    enter_tracks(storage.database, {content_of(track): track for track in present})
    lost = {*present} - rejected - finished - tracks_under_way(context.instance, process_track.name)
    lost -= tracks_in_use(storage.database)  # being removed, say
    known, moment = tries_of_tracks(storage.database), context.scheduled_execution_time.timestamp()
    code = code_of_stages()
    asked = due(lost, known, moment, code, _PER_NIGHT)
    given_up = hopeless(lost, known, moment, code)
    for track in given_up:
        context.log.warning(_farewell(context.instance, track))
    noted = {track: _one_more(known.get(track), moment, code) for track in asked}
    noted |= {track: replace(known[track], given_up=True) for track in given_up}
    note_tries(storage.database, noted, forgotten=known.keys() & (finished | rejected))
    day = context.scheduled_execution_time.date().isoformat()
    return [dg.RunRequest(run_key=f"{track}-{day}", partition_key=track) for track in asked]


def _one_more(known: Tries | None, moment: float, code: str) -> Tries:
    if known is None or known.code != code:
        return Tries(1, moment, code)
    return known if known.last_at == moment else Tries(known.tries + 1, moment, code)


def _farewell(instance: dg.DagsterInstance, track: str) -> str:
    last = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: track}), limit=1)
    ended = f"its last run, {last[0].run_id}, ended as {last[0].status.value}" if last else "it has no run"
    return (
        f"{track}: given up after {TRIES} tries ({ended}); it is not asked for again until its file or the "
        "code changes, or somebody materialises it"
    )


def code_of_stages() -> str:
    """Changes with the code of any stage."""
    from resonate_assets.definitions import TRACK_ASSETS  # which imports this module

    versions = sorted(
        f"{spec.key.path[-1]}={spec.code_version}" for asset in TRACK_ASSETS for spec in asset.specs
    )
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


nightly_library = dg.ScheduleDefinition(
    name="nightly_library",
    job=update_library,
    cron_schedule="0 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone=TIME_ZONE,
    description="Every night at 5: all tracks listed, the worst first, and a check of those that failed.",
)

nightly_upkeep = dg.ScheduleDefinition(
    name="nightly_upkeep",
    job=upkeep,
    cron_schedule="0 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone=TIME_ZONE,
    description="Every night at 4: the index compared with storage, and old runs taken out of the event log.",
)

nightly_scan = dg.ScheduleDefinition(
    name="nightly_scan",
    job=scan_libraries,
    cron_schedule="0 1 * * *",
    default_status=(
        dg.DefaultScheduleStatus.RUNNING
        if os.environ.get("RESONATE_LIBRARIES")
        else dg.DefaultScheduleStatus.STOPPED
    ),
    execution_timezone=TIME_ZONE,
    description="Every night at 1: what is new in the music libraries. Off, unless RESONATE_LIBRARIES is set.",
)
