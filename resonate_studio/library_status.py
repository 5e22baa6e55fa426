"""What `resonate status` tells: every track with how far it came and what it is worth, and every rejected file."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

import dagster as dg

from resonate_assets.acceptance import Acceptance, acceptance
from resonate_assets.definitions import TRACK_ASSETS, build_defs
from resonate_assets.jobs import STAGES, process_track
from resonate_assets.partitions import tracks
from resonate_assets.runs import PARTITION_TAG, UNFINISHED
from resonate_assets.settings import Settings
from resonate_resources.parallel import in_parallel
from resonate_resources.storage.catalogue import stale_tracks
from resonate_resources.storage.current import measures_of, rebuild, stages_made, was_walked
from resonate_resources.storage.pools import runs_at_once
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_studio.processing import reason_of_failure
from resonate_studio.versions import Versions

WORST_FIRST = (
    *("failed", "not accepted", "stopped", "unfinished", "behind"),
    *("running", "queued", "waiting", "done"),
)
JUDGED = ("qc_scores", "stems", "master")
"""Stages whose measures the verdict on a track is made from."""
WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
_RUNS_A_QUESTION = 500
_LOOKED_FOR = 500
"""Tracks whose exports are looked for in the store, at most, before the index is believed."""
_REASONS_AT_MOST = 200
"""Failures whose logs are read: of more than that nobody reads the reasons in a list."""
_TYPICAL_OF = 20
"""Finished runs that tell how long one takes."""
_EVENTS_A_PAGE = 1000
_PROGRESS = re.compile(r"^(\w+): (\d+)%$")
"""What stages write into the log now and then; see resonate_assets.stage.sparse_progress."""
_FETCHING = re.compile(r"(?:^|: )fetching (\S+): (?:(\d+)(?: of (\d+))? MB)?")
"""What resonate_resources.models.download does, by itself or in a worker."""


@dataclass(frozen=True)
class TrackStatus:
    """A track, the stages that have an artefact, how many there are in all, and its state: one of WORST_FIRST.

    behind: what it is made from, its brief or the code has changed since. accepted: the checks' verdict, None as
    long as there is none; reason: why it failed, is not accepted or can't be judged. waiting: no run of it was
    asked for yet. Of one that is running: the stage that it is in, and how much of that is done, 0…1, where it is
    known. Of one that is queued: its place, from 1 on, and in how many seconds it may be done. follows: an older
    track made of the same file, before that changed.
    """

    track: str
    made: list[str]
    stages: int
    state: str
    accepted: bool | None = None
    reason: str | None = None
    stage: str | None = None
    progress: float | None = None
    place: int | None = None
    expected_seconds: float | None = None
    follows: str | None = None


@dataclass(frozen=True)
class LibraryStatus:
    """Tracks, the worst first, and rejected files, which are no tracks."""

    tracks: list[TrackStatus]
    rejected: list[Rejection]


@dataclass(frozen=True)
class Runs:
    """Runs of tracks. active: the one that waits or works; last: the latest, of tracks about which something is in
    question (not all is made, or one failed); queue: track → its place, from 1 on."""

    active: Mapping[str, dg.RunRecord]
    last: Mapping[str, dg.RunRecord]
    queue: Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """What states of tracks are made from. made: track → stages that have an artefact, of all tracks."""

    made: Mapping[str, Collection[str]]
    behind: Collection[str]
    verdicts: Mapping[str, Acceptance]
    follows: Mapping[str, str]
    runs: Runs


def library_status(
    settings: Settings, instance: dg.DagsterInstance, track: str | None = None
) -> LibraryStatus:
    """Look at the index of what is current, and at the instance for runs and for tracks of which nothing was made
    yet. track: the only one that is asked about."""
    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    rejections = [one for one in storage.sources.rejections() if track in (None, one.track)]
    facts = _facts(storage, instance, track)
    # The partition of a rejected file goes at the end of its run, or a moment later.
    files = {one.track for one in rejections if "raw_track" not in facts.made.get(one.track or "", [])}
    files -= facts.runs.active.keys()
    wanted = sorted(facts.made.keys() - files) if track is None else [track]
    typical = typical_seconds(instance) if facts.runs.queue else None
    reasons = 0
    found = []
    for name in wanted:
        status = status_of(name, facts, typical)
        if status.state == "failed" and reasons < _REASONS_AT_MOST:
            reasons += 1
            why = reason_of_failure(instance, facts.runs.last[name].dagster_run.run_id)
            status = replace(status, reason=why)
        if status.state == "running":
            progress = RunProgress(instance, facts.runs.active[name].dagster_run.run_id).look()
            status = replace(status, stage=progress.stage, progress=progress.part)
        found.append(status)
    found.sort(key=lambda one: (WORST_FIRST.index(one.state), one.place or 0, one.track))
    return LibraryStatus(found, rejections)


def _facts(storage: StorageResource, instance: dg.DagsterInstance, asked: str | None) -> Facts:
    """Of partitions alone: what the index knows besides, neither `retry` nor `remove` would find."""
    url = storage.database
    known = instance.get_dynamic_partitions(str(tracks.name))
    made = _stages_of(storage, known, asked)
    return Facts(
        made=made,
        behind={each.track for each in stale_tracks(url, code_versions())},
        verdicts={track: acceptance(measures) for track, measures in measures_of(url, JUDGED)},
        follows=Versions(storage, known).followers(),
        runs=runs_of(instance, made),
    )


def code_versions() -> dict[str, str]:
    """Stage → the version that its code has now."""
    return {stage.key.path[-1]: stage.code_versions_by_key[stage.key] or "" for stage in TRACK_ASSETS}


def runs_of(instance: dg.DagsterInstance, made: Mapping[str, Collection[str]]) -> Runs:
    """made: track → its stages that have an artefact, of all tracks whose last runs may matter."""
    active = _by_track(instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED)))
    filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    failed = instance.get_run_records(filters, limit=1000) if made else ()
    in_question = {track for track, stages in made.items() if STAGES[-1] not in stages}
    in_question |= _by_track(failed).keys() & made.keys()
    last = _last_runs(instance, in_question)
    # Some were asked for since those at work were listed.
    active |= {track: record for track, record in last.items() if record.dagster_run.status in UNFINISHED}
    waiting = sorted(
        (record for record in active.values() if record.dagster_run.status in WAITING),
        key=lambda record: (-_priority(record), record.storage_id),
    )
    return Runs(active, last, {_track(record): place for place, record in enumerate(waiting, 1)})


def _stages_of(storage: StorageResource, known: Sequence[str], asked: str | None) -> dict[str, list[str]]:
    """Track → its stages that are made.

    The index is only a claim about the store, where somebody may have deleted artefacts. They are looked for, of
    the track that is asked about and of up to _LOOKED_FOR finished ones spread over all; where any is missing, the
    index is made anew.
    """
    url, last = storage.database, STAGES[-1]
    if not was_walked(url):
        rebuild(url, storage.store)
    indexed = stages_made(url)
    finished = sorted(track for track in known if last in indexed.get(track, []))
    step = math.ceil(len(finished) / _LOOKED_FOR) or 1
    some = {*finished[::step], *(track for track in finished if track == asked)}
    manifests = (f"artefacts/{last}/{track}/manifest.json" for track in some)
    if None in list(in_parallel(storage.store.size, manifests)):
        rebuild(url, storage.store)
        indexed = stages_made(url)
    return {track: indexed.get(track, []) for track in known}


def status_of(track: str, facts: Facts, typical: float | None) -> TrackStatus:
    """typical: seconds that a track takes, where that is known."""
    made = [stage for stage in STAGES if stage in facts.made.get(track, [])]
    verdict = facts.verdicts.get(track, Acceptance(None))
    # One that came to its end in an earlier version lacks stages that were new since: it is behind, not unfinished.
    state = _state(track, facts, verdict, whole=STAGES[-1] in made)
    place = facts.runs.queue.get(track)
    told = state == "not accepted" or (state in ("behind", "done") and verdict.accepted is None)
    reason = "; ".join(verdict.reasons) or None if told else None
    return TrackStatus(
        track,
        made,
        len(STAGES),
        state,
        accepted=verdict.accepted,
        reason=reason,
        place=place,
        expected_seconds=expected_seconds(place, facts.runs, typical),
        follows=facts.follows.get(track),
    )


def expected_seconds(place: int | None, runs: Runs, typical: float | None) -> float | None:
    """In how many seconds one at that place of the queue may be done; None where that can't be told."""
    if place is None or typical is None:
        return None
    ahead = len(runs.active) - len(runs.queue) + place
    return typical * math.ceil(ahead / runs_at_once())


def _state(track: str, facts: Facts, verdict: Acceptance, whole: bool) -> str:
    """What goes on comes before what was, and what went wrong before what is there all the same."""
    last = facts.runs.last.get(track)
    ended = last.dagster_run.status if last else None
    states = {
        "queued": track in facts.runs.queue,
        "running": track in facts.runs.active,
        "failed": ended == dg.DagsterRunStatus.FAILURE,
        "stopped": ended == dg.DagsterRunStatus.CANCELED and not whole,
        "waiting": last is None and not facts.made.get(track),
        "unfinished": not whole,
        "not accepted": verdict.accepted is False,
        "behind": track in facts.behind,
    }
    return next((state for state, holds in states.items() if holds), "done")


def _by_track(records: Iterable[dg.RunRecord]) -> dict[str, dg.RunRecord]:
    """The latest of each track: records come newest first."""
    found: dict[str, dg.RunRecord] = {}
    for record in records:
        if PARTITION_TAG in record.dagster_run.tags:
            found.setdefault(_track(record), record)
    return found


def _track(record: dg.RunRecord) -> str:
    return record.dagster_run.tags[PARTITION_TAG]


def _priority(record: dg.RunRecord) -> int:
    told = record.dagster_run.tags.get("dagster/priority", "0")
    return int(told) if told.lstrip("-").isdecimal() else 0


def _last_runs(instance: dg.DagsterInstance, names: Iterable[str]) -> dict[str, dg.RunRecord]:
    found: dict[str, dg.RunRecord] = {}
    ahead: Iterator[str] = iter(sorted(names))
    while some := list(islice(ahead, _RUNS_A_QUESTION)):
        found |= _by_track(instance.get_run_records(dg.RunsFilter(tags={PARTITION_TAG: some})))
    return found


def typical_seconds(instance: dg.DagsterInstance) -> float | None:
    """What a track takes: the median of the last runs that went through; None where there was none."""
    filters = dg.RunsFilter(job_name=process_track.name, statuses=[dg.DagsterRunStatus.SUCCESS])
    records = instance.get_run_records(filters, limit=_TYPICAL_OF)
    spans = [each.end_time - each.start_time for each in records if each.end_time and each.start_time]
    return median(spans) if spans else None


@dataclass(frozen=True)
class Progressed:
    """done: stages that are; stage: the one at work, and how much of it is done, 0…1, where that is known.

    fetching: what comes from a hub meanwhile, as "NAME, 1203 of 6170 MB"."""

    done: int = 0
    stage: str | None = None
    part: float | None = None
    fetching: str | None = None


class RunProgress:
    """Of one run, as its log tells. Looked at again, only what was written since is read."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self._instance, self._run_id = instance, run_id
        self._cursor: str | None = None
        self._now = Progressed()

    def look(self) -> Progressed:
        more = True
        while more:
            page = self._instance.get_records_for_run(self._run_id, self._cursor, limit=_EVENTS_A_PAGE)
            for record in page.records:
                self._take(record.event_log_entry)
            self._cursor, more = page.cursor, page.has_more
        return self._now

    def _take(self, entry: dg.EventLogEntry) -> None:
        event, now = entry.dagster_event, self._now
        if event is None:
            if (told := _PROGRESS.match(entry.user_message)) and told[1] == now.stage:
                self._now = replace(now, part=int(told[2]) / 100)
            elif told := _FETCHING.search(entry.user_message):
                name, came, whole = told.groups()
                amount = came if whole is None else f"{came} of {whole}"
                self._now = replace(now, fetching=f"{name}, {amount} MB" if came != whole else None)
        elif event.event_type == dg.DagsterEventType.STEP_START:
            self._now = Progressed(now.done, event.step_key, None)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and event.step_key in STAGES:
            self._now = replace(now, done=now.done + 1)
