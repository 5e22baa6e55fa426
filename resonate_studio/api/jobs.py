"""Jobs: runs of a track, as the API knows them. A job's id is its run's."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import dagster as dg

from resonate_assets.jobs import ORIGIN, STAGES
from resonate_assets.jobs import process_track as processing
from resonate_assets.partitions import partitions_of
from resonate_assets.runs import ENDED, PARTITION_TAG, UNFINISHED
from resonate_resources.ingestion.intake import identify
from resonate_resources.recordings.decoding import probe
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.heartbeats import heartbeats
from resonate_resources.storage.sources import Source
from resonate_studio.api.addresses import job_url, results_of, track_url
from resonate_studio.api.briefs import Briefs, dotted
from resonate_studio.api.composing import write_words
from resonate_studio.api.launching import ask_for_run
from resonate_studio.api.lending import PART, refuse_places
from resonate_studio.api.models import Job, JobAccepted, Result
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError, not_found
from resonate_studio.api.uploads import Received
from resonate_studio.api.wording import called, without_paths
from resonate_studio.library_status import (
    WAITING,
    Progressed,
    RunProgress,
    Runs,
    expected_seconds,
    runs_of,
    typical_seconds,
)
from resonate_studio.processing import reason_of_failure
from resonate_studio.references import SETTINGS as REFERENCES
from resonate_studio.registering import has_its_file, known_track, register

_ASSET_JOB = "__ASSET_JOB"
"""What Dagster calls runs that its automation asks for."""
_LISTED = 200
_LOOKED_AT = 20
_FOLLOWED = 200
_TYPICAL_FOR_SECONDS = 30.0
_REASONS_KEPT = 1000
_RESULT_STAGES = ("master", "mix", "restored_track", "restored_stems", "stems", "midi", "regenerated_stems")
_ENDED_STATES: Mapping[dg.DagsterRunStatus, Any] = {
    dg.DagsterRunStatus.SUCCESS: "completed",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "cancelled",
}


class Jobs:
    """Of one home. From any thread."""

    def __init__(self, opened: Opened, briefs: Briefs) -> None:
        self._opened, self._briefs = opened, briefs
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._registering = threading.Lock()
        self._followed: dict[str, RunProgress] = {}
        self._reasons: dict[str, str] = {}
        self._typical: tuple[float, float | None] = (-_TYPICAL_FOR_SECONDS, None)

    def create(self, received: Received) -> JobAccepted:
        """Take in what a form brought, and ask for a run. Raises ProblemError; then nothing of it is left."""
        brought = "file" in received.files
        if not brought:
            received.files["file"] = write_words(received, self._opened)
        elif part := next((name for name in ("composition", PART) if received.has(name)), None):
            raise ProblemError(422, f"{part}: is for words; a file is there already")
        wanted = self._wanted(received.texts)
        opened, limits, file = self._opened, self._opened.settings.limits, received.files["file"]
        try:
            if reference := received.files.get("reference_track"):
                probe(reference, limits, reference.name)
            if brought:
                refuse_places(file, opened.storage)
            source = identify(file, str(file), limits)
        except AudioError as error:
            raise ProblemError(422, without_paths(str(error))) from error
        known = known_track(opened.storage, opened.instance, source)
        self._briefs.check(known or source.track, wanted)
        track = self._registered(received, source)
        if reference:
            place = received.keep("reference_track", opened.storage)
            wanted |= dict.fromkeys(REFERENCES, place)
        if not wanted:
            return self.ask(track)
        with self._briefs.unless_refused(track):
            self._briefs.set(track, wanted)
            return self.ask(track, anew=True)

    def _registered(self, received: Received, source: Source) -> str:
        """The track of a file: of all that bring the same content at once, the first keeps its copy."""
        opened = self._opened
        with self._registering:
            known = known_track(opened.storage, opened.instance, source)
            if known is not None and has_its_file(opened.storage, known):
                return known
            moved = received.keep("file", opened.storage)
            track = register(opened.storage, opened.instance, replace(source, uri=moved)).track
        kept = opened.storage.sources.find(track)
        if kept is not None and kept.uri != moved and has_its_file(opened.storage, track):
            opened.storage.forget_upload(moved)  # another server of this home had it at the same time
        return track

    def ask(self, track: str, anew: bool = False) -> JobAccepted:
        """The job that takes a track through all stages: the one that is under way, or a new one. anew: what is
        wanted has changed, so one that is at work is stopped, and only one that waits will do."""
        with self._asking:
            instance = self._opened.instance
            for run in self._runs_under_way(track):
                if run.status in WAITING or not anew:
                    return self._accepted(run.run_id, track)
                self._stop(run)
            return self._accepted(ask_for_run(instance, self._opened.defs, track), track)

    def retry(self, job_id: uuid.UUID) -> JobAccepted:
        """Raises ProblemError where there is none, or it goes on still."""
        record = self._record(job_id)
        if record.dagster_run.status not in ENDED:
            raise ProblemError(409, "the job is not over; cancel it first, or let it end")
        track = record.dagster_run.tags[PARTITION_TAG]
        if not partitions_of(self._opened.instance).has(track):
            raise ProblemError(409, "the job's track is not in the library any more; give its file again")
        return self.ask(track)

    def cancel(self, job_id: uuid.UUID) -> Job:
        """Raises ProblemError where there is none, or it is over."""
        record = self._record(job_id)
        if record.dagster_run.status in ENDED:
            raise ProblemError(409, "the job is over already")
        self._stop(record.dagster_run)
        return self.find(job_id)

    def find(self, job_id: uuid.UUID) -> Job:
        """Raises ProblemError."""
        return self.told(self._record(job_id), self.under_way())

    def all(self, active: bool) -> list[Job]:
        """The latest first."""
        runs = self.under_way()
        return [self.told(record, runs) for record in self._records(active)]

    def latest(self) -> list[dg.RunRecord]:
        """Those that something happened to last, in whatever state."""
        found = self._opened.instance.get_run_records(limit=_LOOKED_AT, order_by="update_timestamp")
        return [record for record in found if is_job(record)]

    def under_way(self) -> Runs:
        return runs_of(self._opened.instance, {})

    def told(self, record: dg.RunRecord, runs: Runs) -> Job:
        """A run's record as a job."""
        run = record.dagster_run
        track, status = run.tags[PARTITION_TAG], run.status
        source = self._opened.storage.sources.find(track)
        progress = self.progress(run.run_id) if status not in (*ENDED, *WAITING) else Progressed()
        done = min((progress.done + (progress.part or 0.0)) / len(STAGES), 1.0)
        place = runs.queue.get(track) if status in WAITING else None
        typical = self.typical() if status not in ENDED else None
        expected = expected_seconds(place, runs, typical)
        if place is None and typical is not None:
            expected = typical * (1 - done)
        completed = status == dg.DagsterRunStatus.SUCCESS
        return Job(
            job_id=uuid.UUID(run.run_id),
            track=track,
            title=called(source, track)[0],
            status=_ENDED_STATES.get(status) or ("queued" if status in WAITING else "processing"),
            progress=1.0 if completed else done,
            stage=stage_of(progress),
            fetching=progress.fetching,
            place=place,
            expected_seconds=expected,
            reason=without_paths(self.reason(run.run_id)) if status == dg.DagsterRunStatus.FAILURE else None,
            asked_at=record.create_timestamp.astimezone(UTC).isoformat(timespec="seconds"),
            ended_at=_time(record.end_time),
            track_url=track_url(track) if source else None,
            results=self._results(track) if completed else [],
        )

    def progress(self, run_id: str) -> Progressed:
        """How far a run is."""
        with self._lock:
            followed = self._followed.pop(run_id, None) or RunProgress(self._opened.instance, run_id)
            self._followed[run_id] = followed
            if len(self._followed) > _FOLLOWED:
                self._followed.pop(next(iter(self._followed)))
            return followed.look()

    def reason(self, run_id: str) -> str:
        """Why a run failed, in one line."""
        with self._lock:
            if run_id in self._reasons:
                return self._reasons[run_id]
        found = reason_of_failure(self._opened.instance, run_id)
        with self._lock:
            if len(self._reasons) >= _REASONS_KEPT:
                self._reasons.clear()
            self._reasons[run_id] = found
        return found

    def typical(self) -> float | None:
        """What a track takes, in seconds."""
        at, known = self._typical
        if monotonic() - at > _TYPICAL_FOR_SECONDS:
            known = typical_seconds(self._opened.instance)
            self._typical = monotonic(), known
        return known

    def _wanted(self, texts: Mapping[str, str]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        if told := texts.get("brief"):
            try:
                document = json.loads(told)
            except (ValueError, RecursionError) as error:
                raise ProblemError(422, "brief: is no JSON") from error
            wanted = dotted(document)
        if prompt := texts.get("prompt"):
            wanted.setdefault("profile.hints", prompt)
        return wanted

    def _stop(self, run: dg.DagsterRun) -> None:
        """Of a run whose process is gone, or that never had one, only the record is ended."""
        instance = self._opened.instance
        if run.status in WAITING:
            instance.report_run_canceled(run, "cancelled while it waited")
            return
        if instance.run_coordinator.cancel_run(run.run_id):
            return
        if run.run_id in {beat.name for beat in heartbeats(self._opened.storage.database, "run")}:
            raise ProblemError(
                409, "the job can't be stopped from here: it was begun by a command; stop that"
            )
        instance.report_run_canceled(run, "cancelled; its process was not there any more")

    def _runs_under_way(self, track: str) -> list[dg.DagsterRun]:
        asked = dg.RunsFilter(tags={PARTITION_TAG: track}, statuses=UNFINISHED)
        return [
            run
            for run in self._opened.instance.get_runs(asked)
            if run.job_name == processing.name and run.status != dg.DagsterRunStatus.CANCELING
        ]

    def _record(self, job_id: uuid.UUID) -> dg.RunRecord:
        record = self._opened.instance.get_run_record_by_id(str(job_id))
        if record is None or not is_job(record):
            raise not_found("there is no such job")
        return record

    def _records(self, active: bool) -> list[dg.RunRecord]:
        statuses = UNFINISHED if active else None
        found = [
            record
            for name in (processing.name, _ASSET_JOB)
            for record in self._opened.instance.get_run_records(
                dg.RunsFilter(job_name=name, statuses=statuses), limit=_LISTED
            )
            if is_job(record)
        ]
        return sorted(found, key=lambda record: record.create_timestamp, reverse=True)[:_LISTED]

    def _results(self, track: str) -> list[Result]:
        artefacts = (self._opened.storage.artefacts.current(stage, track) for stage in _RESULT_STAGES)
        return [result for artefact in artefacts if artefact for result in results_of(artefact)]

    def _accepted(self, run_id: str, track: str) -> JobAccepted:
        return JobAccepted(job_id=uuid.UUID(run_id), status_url=job_url(run_id), track=track)


def is_job(record: dg.RunRecord) -> bool:
    """Whether a run is one of a track's stages, and not of the library or of a brief alone."""
    run = record.dagster_run
    return (
        PARTITION_TAG in run.tags and run.job_name in (processing.name, _ASSET_JOB) and _is_uuid(run.run_id)
    )


def stage_of(progress: Progressed) -> str | None:
    """The stage that is at work: its checks are its last part."""
    stage = (progress.stage or "").removeprefix("check_")
    return stage if stage in (*ORIGIN, *STAGES) else None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
