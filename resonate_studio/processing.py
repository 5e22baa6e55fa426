"""Files through the graph, in this process, and what came of each."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from resonate_assets.acceptance import acceptance
from resonate_assets.definitions import build_defs
from resonate_assets.jobs import ORIGIN, STAGES, process_track, update_library
from resonate_assets.partitions import partitions_of
from resonate_assets.runs import PARTITION_TAG
from resonate_assets.settings import Settings
from resonate_resources.brief.layers import BriefError
from resonate_resources.brief.resource import BriefResource
from resonate_resources.ingestion.intake import identify
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import PICTURE, THUMBNAIL, Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_studio.hearing.light_store import LightStore
from resonate_studio.outcome import Check, Processed, Stage
from resonate_studio.registering import register
from resonate_studio.removing import Removal
from resonate_studio.terminal import plain
from resonate_studio.trouble import trouble
from resonate_studio.versions import Versions

StageDone = Callable[[str, str], None]
"""Called with source and stage whenever a stage of a file is done."""

# Dagster prints every event to stderr; what came of a file tells what a person needs.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_ONE_LINE = ("S3Error", "DatabaseError", "AudioError")
"""Errors of ours that tell more than what caused them."""
_INTERRUPTED = dg.DagsterExecutionInterruptedError.__name__
"""What is raised in a run whose process is sent SIGTERM: with `resonate dev`, or with the machine."""
_DIED = "This run has been marked as failed from outside the execution context."
"""What Dagster says of a run whose process is gone."""
_CLASS = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Failure): ")


def run_quietly(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    track: str | None,
    config: Mapping[str, Any] | None = None,
) -> str | None:
    """Run a job in this process. Gives the reason, in one line, where it failed."""
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=track,
        run_config={**_QUIET, **(config or {})},
        raise_on_error=False,
    )
    return None if result.success else _reason(result.all_events, [], track)


class Processor:
    """The graph with its settings, ready to take files one after another."""

    def __init__(
        self,
        settings: Settings,
        instance: dg.DagsterInstance,
        wanted: Mapping[str, Any] | None = None,
        *,
        anew_from: str | None = None,
        replace_older: bool = False,
    ) -> None:
        """wanted: `section.name` → value of the brief, to be set for every track that is processed. anew_from: the
        stage from which on all is made again. replace_older: whether an older track of the same file goes."""
        self._defs = build_defs(settings)
        self._limits = settings.limits
        self._light = LightStore.of_home(settings)
        if anew_from is not None:
            storage: StorageResource = self._defs.resources["storage"]  # type: ignore[index]
            # Not a copy: Dagster makes a resource anew from what it was made with.
            storage = StorageResource(
                root=storage.root,
                s3=storage.s3,
                cache=storage.cache,
                database=storage.database,
                uploads=storage.uploads,
                anew=list(stages_from(anew_from)),
            )
            self._defs = build_defs(settings, {"storage": storage})
        self._instance = instance
        self._wanted = dict(wanted or {})
        self._replace_older = replace_older
        self._run_id: str | None = None
        self.storage: StorageResource = self._defs.resources["storage"]  # type: ignore[index]
        self._briefs: BriefResource = self._defs.resources["briefs"]  # type: ignore[index]

    def process(
        self,
        file: Path,
        stage_done: StageDone = lambda _source, _stage: None,
        *,
        uri: str | None = None,
        finished: Collection[str] = (),
    ) -> Processed:
        """Take one file through every stage. What is wrong with it stands in `error`; nothing is raised.

        uri: of an object that lies at `file` now. finished: tracks that nothing is done for.
        """
        done = Processed(uri or str(file))
        uri = uri or str(file.absolute())
        self._timed(
            done, lambda: self._take(file, uri, finished, done, lambda stage: stage_done(done.source, stage))
        )
        return done

    def process_again(self, track: str, stage_done: StageDone = lambda _source, _stage: None) -> Processed:
        """Take a track that is known through every stage: what is made already is found in the cache."""
        source = self.storage.sources.find(track)
        done = Processed(source.uri if source else track, track)
        self._timed(done, lambda: self._run(track, done, lambda stage: stage_done(done.source, stage)))
        return done

    def cancel(self) -> None:
        """Write down that the run at work, if there is one, was stopped. From any thread."""
        run = self._instance.get_run_by_id(self._run_id) if self._run_id else None
        if run is not None and not run.is_finished:
            self._instance.report_run_canceled(run, "stopped from outside; process the track again to go on")

    def update_library(self) -> str | None:
        """Bring the catalogue up to date. Gives the reason, in one line, where that failed."""
        try:
            return run_quietly(self._defs, self._instance, update_library.name, None)
        except (OSError, SQLAlchemyError) as error:
            return trouble(error, self.storage.store.location(""))

    def _timed(self, done: Processed, work: Callable[[], None]) -> None:
        start = time.perf_counter()
        try:
            work()
        except (OSError, SQLAlchemyError) as error:
            done.error = trouble(error, self.storage.store.location(""))
        done.seconds = round(time.perf_counter() - start, 3)

    def _take(
        self,
        file: Path,
        uri: str,
        finished: Collection[str],
        done: Processed,
        stage_done: Callable[[str], None],
    ) -> None:
        try:
            source = identify(file, uri, self._limits)
        except AudioError as error:
            rejection = Rejection(uri, str(error))
            self.storage.sources.reject(rejection)
            done.error, done.broken = rejection.reason, True
            return
        self.storage.sources.accept(None, uri)
        source = register(self.storage, self._instance, source)
        done.track = source.track
        if source.track in finished:
            done.found = True
            return
        done.follows = self._versions.older_than(source)
        if self._wanted:
            try:
                self._briefs.change(source.track, source, self._wanted)
            except BriefError as error:
                done.error = str(error)
                return
        self._run(done.track, done, stage_done)
        if done.follows and self._replace_older and done.error is None:
            removal = Removal(self.storage, self._instance, done.follows, self._light)
            done.replaced = removal.carry_out() is None

    @cached_property
    def _versions(self) -> Versions:
        return Versions(self.storage, partitions_of(self._instance).all())

    def _run(self, track: str, done: Processed, stage_done: Callable[[str], None]) -> None:
        run_id = str(uuid.uuid4())

        def listen(event: dg.EventLogEntry) -> None:
            if event.dagster_event and event.dagster_event.is_step_success:
                stage_done(event.dagster_event.step_key or "")

        self._instance.add_event_listener(run_id, listen)
        self._run_id = run_id  # before there is such a run: `cancel` finds none then
        result = self._defs.resolve_job_def(process_track.name).execute_in_process(
            instance=self._instance,
            partition_key=track,
            run_id=run_id,
            run_config=_QUIET,
            raise_on_error=False,
        )
        self._run_id = None
        for event in result.all_events:
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                found = event.asset_check_evaluation_data
                done.checks.append(
                    Check(
                        found.asset_key.path[-1],
                        found.check_name,
                        bool(found.passed),
                        found.severity.value.lower(),
                    )
                )
        if not result.success:
            done.error = _reason(result.all_events, done.checks, track)
            done.broken = self.storage.sources.is_rejected(track)
        fresh = {
            event.asset_key.path[-1]: event.materialization.metadata
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }
        current = {
            stage: self.storage.artefacts.current(stage, track)
            for stage in (*ORIGIN, *STAGES)
            if stage in fresh
        }
        made = {stage: artefact for stage, artefact in current.items() if artefact}
        done.assets = {
            stage: _stage(artefact, bool(fresh[stage]["from_cache"].value))
            for stage, artefact in made.items()
        }
        verdict = acceptance({stage: artefact.manifest.measures for stage, artefact in made.items()})
        done.accepted, done.why_not = verdict.accepted, "; ".join(verdict.reasons)


def stages_from(*stages: str, defs: dg.Definitions | None = None) -> Sequence[str]:
    """Stages and all that are made from them, in an order in which they can be made."""
    selected = dg.AssetSelection.assets(*stages).downstream()
    graph = (defs or build_defs()).resolve_asset_graph()
    found = {key.path[-1] for key in selected.resolve(graph)}
    return [name for name in (*ORIGIN, *STAGES) if name in found]


def reason_of_failure(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why a run failed, in one line, as its log tells."""
    wanted = {
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    }
    events = [entry.get_dagster_event() for entry in instance.all_logs(run_id, of_type=wanted)]
    checks = [
        Check(found.asset_key.path[-1], found.check_name, bool(found.passed), found.severity.value.lower())
        for found in (
            event.asset_check_evaluation_data
            for event in events
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        )
    ]
    run = instance.get_run_by_id(run_id)
    return _reason(events, checks, run.tags.get(PARTITION_TAG) if run else None)


def _reason(events: Sequence[dg.DagsterEvent], checks: Sequence[Check], track: str | None) -> str:
    """Why a run failed, in one line: of a step, or where none was begun, of the run."""
    interrupted = [event for event in events if _was_interrupted(event)]
    for event in events:
        if event.is_step_failure and event not in interrupted:
            return _failure(event, checks)
    again = f"by: resonate retry {track}" if track else "when it is asked for again"
    if interrupted:
        return f"stopped while it was at work; it goes on at the next start of `resonate dev`, or {again}"
    for event in events:
        if event.event_type == dg.DagsterEventType.RUN_FAILURE:
            error = event.event_specific_data and event.job_failure_data.error
            if not error and event.message == _DIED:
                return f"its process was killed while it was at work, or memory ran out; it goes on {again}"
            return _told(error) if error else plain(event.message or "the run did not finish")
    return "the run did not finish"


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    """Whether a step or a run failed as its process was asked to end, however deep that lies in its error."""
    if event.is_step_failure:
        error = event.step_failure_data.error
    elif event.event_type == dg.DagsterEventType.RUN_FAILURE and event.event_specific_data:
        error = event.job_failure_data.error
    else:
        return False
    while error and error.cls_name != _INTERRUPTED:
        error = error.cause or error.context
    return error is not None


def _failure(event: dg.DagsterEvent, checks: Sequence[Check]) -> str:
    """The reason of a failed step, in one line."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return " ".join(data.user_failure_data.description.split())
    blocked = [check for check in checks if not check.passed and check.severity == "error"]
    if blocked:
        return f"{blocked[-1].asset}: failed its check {blocked[-1].name}"
    told = _told(data.error)
    return f"{event.step_key}: {told}"


def _told(error: Any) -> str:
    """What an error says, on one line: the innermost, or the first of ours, which knows more."""
    while error and error.cause and error.cls_name not in _ONE_LINE:
        error = error.cause
    lines = error.message.strip().splitlines() if error else []
    return _CLASS.sub("", lines[0]) if lines else "failed"


def _stage(artefact: Artefact, from_cache: bool) -> Stage:
    manifest = artefact.manifest
    metadata: Mapping[str, Any] = {
        **manifest.measures,
        "seconds": manifest.seconds,
        **({"notes": [*manifest.notes]} if manifest.notes else {}),
    }
    return Stage(
        [artefact.location(name) for name in manifest.files if name not in (PICTURE, THUMBNAIL)],
        manifest.engine.name,
        dict(metadata),
        from_cache,
    )
