"""Sensors: new files in the watched folder and the watched bucket become partitions and runs, exactly once; runs
whose process is dead are ended; and what is behind its inputs is asked for again."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from itertools import islice

import dagster as dg

from resonate_assets.jobs import STAGES, process_track, update_library
from resonate_assets.partition_status import mend_partition_status
from resonate_assets.partitions import partitions_of, tracks
from resonate_assets.rejections import let_go
from resonate_assets.runs import (
    BEATS,
    PARTITION_TAG,
    PRIORITY_TAG,
    HandsOver,
    report_dead_runs,
    retry_what_was_left,
    tracks_under_way,
)
from resonate_assets.schedules import code_of_stages
from resonate_resources.ingestion.intake import Intake, take_in
from resonate_resources.ingestion.planned import take_planned
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.storage.catalogue import next_stale
from resonate_resources.storage.current import was_walked
from resonate_resources.storage.heartbeats import Watch, tracks_in_use
from resonate_resources.storage.inbox import Inbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import NOTHING
from resonate_resources.watching import tracing


def look(
    context: dg.SensorEvaluationContext, inbox: Inbox, storage: StorageResource, settings: InboxResource
) -> dg.SensorResult:
    """One tick. The cursor holds what the next look must know; Dagster commits it with the runs it asks for."""
    last, began = json.loads(context.cursor or "{}"), time.time()
    intake = take_in(
        inbox,
        storage,
        partitions_of(context.instance),
        waiting=last.get("waiting", {}),
        emitted={uri: (stamp, track) for uri, (stamp, track) in last.get("emitted", {}).items()},
        limit=settings.per_look,
        limits=settings.limits,
    )
    for rejection in intake.rejected:
        context.log.warning(rejection.reason)
    keys = [source.track for source in intake.new]
    traces = {key: tracing.new_trace() for key in keys}
    if tracing.wanted():
        for key, trace in traces.items():
            tracing.tell(trace, context.sensor_name, began, time.time(), {"resonate.track": key})
    return dg.SensorResult(
        dynamic_partitions_requests=[tracks.build_add_request(keys)] if keys else [],
        run_requests=[
            _first_run(context.instance, key, tags=tracing.trace_tags(traces[key])) for key in keys
        ],
        skip_reason=None if keys else dg.SkipReason(_nothing_new(intake, inbox)),
        cursor=json.dumps({"waiting": intake.waiting, "emitted": intake.emitted}),
    )


def _first_run(
    instance: dg.DagsterInstance, track: str, priority: int = 0, tags: Mapping[str, str] | None = None
) -> dg.RunRequest:
    """Of a new track. The run key is made from content: asked for twice, it runs once.

    Content that was there before, went with its file and came back has a run that ended without it, whose key would
    keep this one from running for ever.
    """
    before = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: track}), limit=1)
    again = f"-{before[0].run_id}" if before and before[0].is_finished else ""
    urgent = {PRIORITY_TAG: str(priority)} if priority else {}
    return dg.RunRequest(run_key=f"{track}{again}", partition_key=track, tags={**urgent, **(tags or {})})


def _nothing_new(intake: Intake, inbox: Inbox) -> str:
    parts = [f"nothing new in {inbox.uri}"]
    if intake.waiting:
        parts.append(f"{len(intake.waiting)} being written, or seen for the first time")
    if intake.rejected:
        parts.append(f"{len(intake.rejected)} rejected: {intake.rejected[0].reason}")
    return "; ".join(parts)


_A_LOOK = 10_000
"""Tracks a reconcile looks at: it goes round 100,000 within the hour, in ticks that take two seconds each."""
_ASKED_A_LOOK = 100
"""Tracks it asks for at a time."""

_RUNNING, _STOPPED = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED


@dg.sensor(
    job=process_track,
    minimum_interval_seconds=10,
    default_status=_RUNNING,
    description="Takes in new audio files of the watched folder. Its log says what is waited for.",
)
def inbox_folder(
    context: dg.SensorEvaluationContext, storage: StorageResource, inbox: InboxResource
) -> dg.SensorResult | dg.SkipReason:
    """New audio files in the watched folder. A file is taken when two looks in a row find it unchanged."""
    folder = inbox.watched_folder()
    if folder is None or not folder.folder.is_dir():
        return dg.SkipReason(f"there is no folder {inbox.folder or '(RESONATE_INBOX is not set)'}")
    return look(context, folder, storage, inbox)


@dg.sensor(
    job=process_track,
    minimum_interval_seconds=30,
    default_status=_RUNNING if os.environ.get("RESONATE_BUCKET") else _STOPPED,
    description="Takes in new audio files of the watched bucket. Off, unless RESONATE_BUCKET names one.",
)
def inbox_bucket(
    context: dg.SensorEvaluationContext, storage: StorageResource, inbox: InboxResource
) -> dg.SensorResult | dg.SkipReason:
    """New audio objects in the watched bucket."""
    bucket = inbox.watched_bucket()
    if bucket is None:
        return dg.SkipReason("no bucket is watched (RESONATE_BUCKET is not set)")
    return look(context, bucket, storage, inbox)


_LIBRARY_TRACKS = 20
"""Tracks under way, of whatever origin, up to which files of libraries are taken: the plan is the queue."""


@dg.sensor(
    job=process_track,
    minimum_interval_seconds=60,
    default_status=_RUNNING if os.environ.get("RESONATE_LIBRARIES") else _STOPPED,
    description="Takes files of music libraries, the most urgent first. Off, unless RESONATE_LIBRARIES is set.",
)
def library_files(
    context: dg.SensorEvaluationContext, storage: StorageResource, inbox: InboxResource
) -> dg.SensorResult:
    """As many files of the plans as there is room for. The cursor is what the last tick took, which is noted once
    Dagster has it."""
    room = _LIBRARY_TRACKS - len(tracks_under_way(context.instance, process_track.name))
    taken = take_planned(
        inbox.known_libraries(storage.database),
        storage,
        partitions_of(context.instance),
        code=code_of_stages(),
        emitted=json.loads(context.cursor or "{}"),
        limit=max(0, room),
        limits=inbox.limits,
    )
    for problem in taken.problems:
        context.log.warning(problem)
    keys = [source.track for source, _ in taken.new]
    return dg.SensorResult(
        dynamic_partitions_requests=[tracks.build_add_request(keys)] if keys else [],
        run_requests=[_first_run(context.instance, source.track, priority) for source, priority in taken.new],
        skip_reason=None if keys else dg.SkipReason("nothing new is planned" if room > 0 else "no room"),
        cursor=json.dumps(taken.emitted),
    )


_watch, _watch_of_retries = Watch(), Watch()
"""Of this process: a code server that starts anew looks for a while before it judges."""


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=_RUNNING,
    description="Ends runs whose process was killed or whose machine went, so that they can be made again.",
)
def dead_runs(context: dg.SensorEvaluationContext, storage: StorageResource) -> dg.SkipReason:
    """Runs whose process was killed, or whose machine went: reported failed, so that they can be made again."""
    told = report_dead_runs(context.instance, storage.database, _watch)
    told += retry_what_was_left(context.instance, _watch_of_retries)
    if isinstance(launcher := context.instance.run_launcher, HandsOver):
        told += launcher.hand_over_again()
    for line in told:
        context.log.warning(line)
    return dg.SkipReason("; ".join(told) or "every run at work shows signs of life")


@dg.sensor(
    job=update_library,
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="Has files that can't be used listed in `rejections`.",
)
def rejected_files(
    context: dg.SensorEvaluationContext, storage: StorageResource
) -> dg.SensorResult | dg.SkipReason:
    """Has files that could not be used listed in `rejections` when there are others than before, and sees that none
    of them is left as a track: a process may have been killed before it did, and earlier versions did not. The
    cursor is the state of the list."""
    before, state = context.cursor or NOTHING, storage.sources.rejected_state()
    if state == before:
        return dg.SkipReason("no file was rejected, or taken after all, since the last look")
    under_way = tracks_under_way(context.instance)
    rejected = {each.track for each in storage.sources.rejections() if each.track is not None}
    for track in rejected - under_way:
        let_go(context.instance, storage, track)
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{before}-{state}")],
        # Those under way are looked at once more when their runs have ended.
        cursor=before if rejected & under_way else state,
    )


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="Sees that tracks are shown as made when they are: Dagster's record of that can lose one.",
)
def shown_tracks(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """See resonate_assets.partition_status. The cursor is the event up to which all has been looked at."""
    stages = [dg.AssetKey(stage) for stage in STAGES]
    lost, seen = mend_partition_status(context.instance, stages, int(context.cursor or 0))
    for key in lost:
        context.log.warning(f"{key.to_user_string()}: a track was made and shown as missing; read anew")
    told = ", ".join(key.to_user_string() for key in lost)
    return dg.SensorResult(
        skip_reason=f"read anew: {told}" if lost else "every track is shown as it is", cursor=str(seen)
    )


def reconcile_sensor(stages: Sequence[dg.AssetsDefinition]) -> dg.SensorDefinition:
    """The net under the automation, whose conditions can lose an update that lands in the tick of their reset
    (dagster #33587): manifests are compared with what their inputs and the code of the stages are now."""
    code_versions = {stage.key.path[-1]: stage.code_versions_by_key[stage.key] or "" for stage in stages}

    @dg.sensor(
        job=process_track,
        minimum_interval_seconds=300,
        default_status=_RUNNING,
        description="Asks for tracks that are behind what they are made from, where the automation lost them.",
    )
    def reconcile(context: dg.SensorEvaluationContext, storage: StorageResource) -> dg.SensorResult:
        """Asks for tracks that are behind their inputs, once for each state that they are found in. The cursor is
        how far in the library the last look came."""
        if not was_walked(storage.database):
            return dg.SensorResult(
                skip_reason="the index of what is current has not been made yet; `resonate status` makes it"
            )
        stale, place = next_stale(storage.database, code_versions, context.cursor or "", _A_LOOK)
        # Of one that is being removed half is missing.
        left_out = tracks_under_way(context.instance) | tracks_in_use(storage.database)
        wanted = (
            each
            for each in stale
            if each.track not in left_out and not storage.sources.is_rejected(each.track)
        )
        asked = list(islice(wanted, _ASKED_A_LOOK))
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=f"{each.track}-{each.state}", partition_key=each.track)
                for each in asked
            ],
            skip_reason=None if asked else "nothing here is behind what it was made from",
            cursor=asked[-1].track if len(asked) == _ASKED_A_LOOK else place,
        )

    return reconcile


automation = dg.AutomationConditionSensorDefinition(
    "automation",
    target=dg.AssetSelection.all(),
    default_status=_RUNNING,
    minimum_interval_seconds=30,
    run_tags=BEATS,
    description="Makes anew what is no longer true to what it was made from: a changed brief, or another version.",
)
