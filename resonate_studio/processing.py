"""Files through the graph, in this process, and what came of each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES, process_track, update_library
from resonate_assets.partitions import partitions_of, tracks
from resonate_assets.settings import Settings
from resonate_resources.brief.layers import BriefError
from resonate_resources.brief.resource import BriefResource
from resonate_resources.ingestion.intake import identify, known_as
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import PICTURE, THUMBNAIL, Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.s3_store import S3Error
from resonate_resources.storage.sources import Rejection, Source
from resonate_resources.storage.taken_in import enter_tracks

StageDone = Callable[[str, str], None]
"""Called with source and stage whenever a stage of a file is done."""

# Dagster prints every event to stderr; what came of a file tells what a person needs.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Stage:
    """What a stage made: absolute paths (or URIs), the engine that ran, its measures and notes."""

    files: list[str]
    engine: str
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Check:
    asset: str
    name: str
    passed: bool
    severity: str


@dataclass
class Processed:
    """What came of one file. error: one line, None when all is well."""

    source: str
    track: str | None = None
    error: str | None = None
    seconds: float = 0.0
    assets: dict[str, Stage] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "ok" if self.error is None else "failed"


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
    return next((_failure(event, []) for event in result.all_events if event.is_step_failure), None)


class Processor:
    """The graph with its settings, ready to take files one after another."""

    def __init__(
        self, settings: Settings, instance: dg.DagsterInstance, wanted: Mapping[str, Any] | None = None
    ) -> None:
        """wanted: `section.name` → value of the brief, to be set for every track that is processed."""
        self._defs = build_defs(settings)
        self._limits = settings.limits
        self._instance = instance
        self._wanted = dict(wanted or {})
        self.storage: StorageResource = self._defs.resources["storage"]  # type: ignore[index]
        self._briefs: BriefResource = self._defs.resources["briefs"]  # type: ignore[index]

    def process(self, file: Path, stage_done: StageDone = lambda _source, _stage: None) -> Processed:
        """Take one file through every stage. What is wrong with it stands in `error`; nothing is raised."""
        done = Processed(str(file))
        start = time.perf_counter()
        try:
            self._take(file, done, lambda stage: stage_done(done.source, stage))
        except (OSError, SQLAlchemyError) as error:
            done.error = trouble(self.storage.store.location(""), error)
        done.seconds = round(time.perf_counter() - start, 3)
        return done

    def update_library(self) -> str | None:
        """Bring the catalogue up to date. Gives the reason, in one line, where that failed."""
        try:
            return run_quietly(self._defs, self._instance, update_library.name, None)
        except (OSError, SQLAlchemyError) as error:
            return trouble(self.storage.store.location(""), error)

    def _take(self, file: Path, done: Processed, stage_done: Callable[[str], None]) -> None:
        uri = str(file.absolute())
        try:
            source = identify(file, uri, self._limits)
        except AudioError as error:
            rejection = Rejection(uri, str(error))
            self.storage.sources.reject(rejection)
            done.error = rejection.reason
            return
        self.storage.sources.accept(None, uri)
        source = self._register(source)
        done.track = source.track
        if self._wanted:
            try:
                self._briefs.change(source.track, source, self._wanted)
            except BriefError as error:
                done.error = str(error)
                return
        self._run(done.track, done, stage_done)

    def _register(self, source: Source) -> Source:
        content, url = content_of(source.track), self.storage.database
        track = known_as(url, [source], partitions_of(self._instance)).get(content)
        if track is not None:
            known = self.storage.sources.find(track)
            # What it was first called stays; this file is where its content is for certain.
            source = replace(source, track=track) if known is None else replace(known, uri=source.uri)
        self.storage.sources.register(source)
        enter_tracks(url, {content: source.track})
        self._instance.add_dynamic_partitions(str(tracks.name), [source.track])
        return source

    def _run(self, track: str, done: Processed, stage_done: Callable[[str], None]) -> None:
        run_id = str(uuid.uuid4())

        def listen(event: dg.EventLogEntry) -> None:
            if event.dagster_event and event.dagster_event.is_step_success:
                stage_done(event.dagster_event.step_key or "")

        self._instance.add_event_listener(run_id, listen)
        result = self._defs.resolve_job_def(process_track.name).execute_in_process(
            instance=self._instance,
            partition_key=track,
            run_id=run_id,
            run_config=_QUIET,
            raise_on_error=False,
        )
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
            if event.is_step_failure and done.error is None:
                done.error = _failure(event, done.checks)
        if not result.success and done.error is None:
            done.error = "the run did not finish"
        made = {stage: self.storage.artefacts.current(stage, track) for stage in STAGES}
        fresh = {
            node.asset_key.path[-1] for node in result.get_asset_materialization_events() if node.asset_key
        }
        done.assets = {
            stage: _stage(artefact) for stage, artefact in made.items() if artefact and stage in fresh
        }


def trouble(where: str, error: OSError | SQLAlchemyError) -> str:
    """One line on a failure of storage or of Dagster's database that is no fault of the file: a full disk, say."""
    if isinstance(error, S3Error):
        return f"{error}; see to the connection and the credentials, and try again"
    reason = getattr(error, "strerror", None) or getattr(error, "orig", None) or error
    told = str(reason).splitlines()[0].lower()
    return f"{where}: can't be written to ({told}); see to room and permission there, and try again"


def _failure(event: dg.DagsterEvent, checks: Sequence[Check]) -> str:
    """The reason of a failed step, in one line."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return " ".join(data.user_failure_data.description.split())
    blocked = [check for check in checks if not check.passed and check.severity == "error"]
    if blocked:
        return f"{blocked[-1].asset}: failed its check {blocked[-1].name}"
    error = data.error
    while error and error.cause:
        error = error.cause
    message = error.message.strip().splitlines()[0] if error and error.message.strip() else "failed"
    return f"{event.step_key}: {message}"


def _stage(artefact: Artefact) -> Stage:
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
    )
