"""Tracks over the API: a page of the list, and everything that is known of one."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from resonate_assets.acceptance import number
from resonate_assets.jobs import ORIGIN, STAGES
from resonate_assets.partitions import partitions_of
from resonate_resources.analysis.analysis import ANALYSIS, Analysis
from resonate_resources.analysis.arrangement_chart import chord_text
from resonate_resources.ingestion.ingest import ARTWORK
from resonate_resources.profiling.profile import Profile
from resonate_resources.storage.artefacts import PICTURE, Artefact
from resonate_resources.storage.heartbeats import is_being_removed
from resonate_studio.api import models
from resonate_studio.api.addresses import file_url, results_of, track_url
from resonate_studio.api.composed import composed_of
from resonate_studio.api.hearable import hearable_of
from resonate_studio.api.jobs import Jobs, stage_of
from resonate_studio.api.library import Library, Row, Snapshot
from resonate_studio.api.measures import quality_of, sound_of
from resonate_studio.api.measuring import with_measures
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError, not_found
from resonate_studio.api.restoration_steps import notes_begin, steps_of
from resonate_studio.api.wording import left_out, notes_of, printable, warnings_of, without_paths
from resonate_studio.hearing.light_copies import LightCopies
from resonate_studio.library_status import WORST_FIRST
from resonate_studio.removing import Removal

_CHANGED = {
    "restored_track": "raw_track",
    "restored_stems": "stems",
    "mix": "raw_track",
    "master": "raw_track",
}
"""Stage that makes sound of sound → the stage whose sound it may have left as it was."""
_COVERS_KEPT = 50_000
_LOOKED_THROUGH = 20
"""Tracks, the latest first, of which one may have stems."""
_UNHEARD_DB = -96.0
_Order = Callable[[Row], Any]
_ORDERS: Mapping[str, _Order] = {
    "added": lambda row: row.added_at,
    "title": lambda row: row.title.casefold(),
    "artist": lambda row: row.artist and row.artist.casefold(),
    "tempo": lambda row: row.tempo_bpm,
    "key": lambda row: row.key,
    "score": lambda row: row.score,
}


class Tracks:
    """Of one home. From any thread."""

    def __init__(self, opened: Opened, library: Library, jobs: Jobs, copies: LightCopies) -> None:
        self._opened, self._library, self._jobs, self._copies = opened, library, jobs, copies
        self._lock = threading.Lock()
        self._orders: dict[tuple[int, str, bool], list[str]] = {}
        self._latest: tuple[int, list[str]] = -1, []
        self._covers: dict[tuple[str, str], bool] = {}

    def require(self, track: str) -> None:
        """Raises ProblemError where there is no such track."""
        self._require_partition(track)
        if is_being_removed(self._opened.storage.database, track):
            raise not_found("the track was removed")

    def _require_partition(self, track: str) -> None:
        if not partitions_of(self._opened.instance).has(track):
            raise not_found("there is no such track")

    def page(
        self, search: str, state: str | None, sort: str, descending: bool, offset: int, limit: int
    ) -> models.TrackList:
        """Those that match: every word of the search is in title, artist or musical key, or is the track's key."""
        there = self._library.look()
        words = search.casefold().split()
        ordered = self._ordered(there, sort, descending)
        found = ordered
        if state is not None:
            found = [track for track in found if there.statuses[track].state == state]
        for word in words:
            found = [track for track in found if word in there.rows[track].found_by or word == track]
        shown = [self._summary(there, track) for track in found[offset : offset + limit]]
        return models.TrackList(
            tracks=shown, total=len(found), states=dict(there.states), left_out=self._left_out(there)
        )

    def show(self, track: str) -> models.Track:
        """Raises ProblemError."""
        self.require(track)
        there = self._library.look()
        if track not in there.rows:
            self._library.changed()
            there = self._library.look()
        if track not in there.rows:
            raise not_found("there is no such track")
        artefacts = self._opened.storage.artefacts
        found = {stage: artefacts.current(stage, track) for stage in (*ORIGIN, *STAGES)}
        made = {stage: artefact for stage, artefact in found.items() if artefact is not None}
        source = self._opened.storage.sources.find(track)
        summary = self._summary(there, track)
        versions, measuring = with_measures(self._copies, hearable_of(self._opened.storage, track, made))
        stages = [
            self._report(stage, artefact, made)
            for stage, artefact in made.items()
            if artefact.manifest.files or artefact.manifest.notes  # else a target that is not asked for
        ]
        self.require(track)  # what its removal has taken by now would be told as not made
        own = [without_paths(summary.reason)] if summary.state == "failed" and summary.reason else []
        return models.Track(
            summary=summary,
            source=printable(source.name) if source else "",
            composed=composed_of(self._library.words, source, made.get("composition"), made.get("raw_track")),
            music=_music(made["profile"], made.get("analysis")) if "profile" in made else None,
            versions=versions,
            stages=stages,
            quality=quality_of(made),
            warnings=[*own, *(warning for stage in stages for warning in stage.warnings)],
            missing_stages=[stage for stage in STAGES if stage not in made],
            measuring=measuring,
            dagster_url=self._dagster_url("raw_track", track),
        )

    def remove(self, track: str, keep_exports: bool) -> None:
        """With all that was made of it, and its copy that came through the page. Raises ProblemError."""
        self._require_partition(track)
        opened = self._opened
        removal = Removal(opened.storage, opened.instance, track, self._copies.store)
        if (obstacle := removal.carry_out(keep_exports)) is not None:
            raise ProblemError(409, obstacle)
        self._library.changed()

    def _ordered(self, there: Snapshot, sort: str, descending: bool) -> list[str]:
        """What is not known stands last, however the rest is turned."""
        asked = there.number, sort, descending
        with self._lock:
            if asked in self._orders:
                return self._orders[asked]
        if sort == "worst":
            statuses = there.statuses.values()
            ranked = sorted(
                statuses, key=lambda one: (WORST_FIRST.index(one.state), one.place or 0, one.track)
            )
            ordered = [one.track for one in (reversed(ranked) if descending else ranked)]
        else:
            order = _ORDERS[sort]
            known = [row for row in there.rows.values() if order(row) is not None]
            known.sort(key=lambda row: (order(row), row.track), reverse=descending)
            unknown = sorted(row.track for row in there.rows.values() if order(row) is None)
            ordered = [*(row.track for row in known), *unknown]
        with self._lock:
            self._orders = {key: value for key, value in self._orders.items() if key[0] == there.number}
            self._orders[asked] = ordered
        return ordered

    def _summary(self, there: Snapshot, track: str) -> models.TrackSummary:
        row, status, runs = there.rows[track], there.statuses[track], there.runs
        record = runs.active.get(track) or runs.last.get(track)
        run_id = record.dagster_run.run_id if record else None
        reason, stage, progress = status.reason, None, None
        if status.state == "failed" and run_id:
            reason = self._jobs.reason(run_id)
        if status.state == "running" and run_id:
            progressed = self._jobs.progress(run_id)
            stage = stage_of(progressed)
            progress = min((progressed.done + (progressed.part or 0.0)) / len(STAGES), 1.0)
        return models.TrackSummary(
            track=track,
            title=row.title,
            artist=row.artist,
            duration_s=row.duration_s,
            tempo_bpm=row.tempo_bpm,
            key=row.key,
            loudness_lufs=row.loudness_lufs,
            state=status.state,  # type: ignore[arg-type]  # one of WORST_FIRST, which TrackState has in other words
            accepted=status.accepted,
            reason=without_paths(reason) if reason else None,
            score=row.score,
            stage=stage,
            progress=progress,
            place=status.place,
            expected_seconds=status.expected_seconds,
            job_id=uuid.UUID(run_id) if run_id else None,
            added_at=row.added_at,
            generated=row.generated,
            composed=row.composed,
            cover_url=f"{track_url(track)}/cover" if self._has_cover(row) else None,
        )

    def _left_out(self, there: Snapshot) -> list[str]:
        """By the latest track that has stems, which is looked for once for each state of the library."""
        with self._lock:
            if self._latest[0] == there.number:
                return self._latest[1]
        latest = sorted(there.rows.values(), key=lambda row: row.added_at or "", reverse=True)[
            :_LOOKED_THROUGH
        ]
        stems = (self._opened.storage.artefacts.current("stems", row.track) for row in latest)
        found = next((left_out(artefact.manifest) for artefact in stems if artefact is not None), [])
        with self._lock:
            self._latest = there.number, found
        return found

    def _has_cover(self, row: Row) -> bool:
        """By the manifest, which is read once for each result."""
        if row.raw_key is None:
            return False
        asked = row.track, row.raw_key
        if asked not in self._covers:
            raw = self._opened.storage.artefacts.current("raw_track", row.track)
            with self._lock:
                if len(self._covers) >= _COVERS_KEPT:
                    self._covers.clear()
                self._covers[asked] = raw is not None and ARTWORK in raw.manifest.files
        return self._covers.get(asked, False)

    def _report(self, stage: str, artefact: Artefact, made: Mapping[str, Artefact]) -> models.StageReport:
        manifest, before = artefact.manifest, made.get(_CHANGED.get(stage, ""))
        engine, steps = manifest.engine, steps_of(artefact)
        picture = file_url(manifest.track, stage, PICTURE) if PICTURE in manifest.files else None
        measures = {
            name: without_paths(value) if isinstance(value, str) else value
            for name, value in manifest.measures.items()
        }
        return models.StageReport(
            stage=stage,
            engine=engine.name if engine.model is None else f"{engine.name}: {engine.model}",
            seconds=manifest.seconds,
            made_at=manifest.made_at,
            changed=None if before is None else _changed(artefact, before),
            warnings=warnings_of(manifest),
            notes=notes_of(manifest, notes_begin(steps or {})),
            measures=measures,
            steps=steps,
            picture_url=picture,
            results=results_of(artefact),
            dagster_url=self._dagster_url(stage, manifest.track),
        )

    def _dagster_url(self, stage: str, track: str) -> str | None:
        base = self._opened.dagster_url
        return f"{base}/assets/{stage}?view=partitions&partition={track}" if base else None


def _changed(artefact: Artefact, before: Artefact) -> bool:
    """Whether it sounds different: not where it is the same, or differs by less than the last bit of 16."""
    off = artefact.manifest.measures.get("null_depth_db")
    return _sound(artefact) != _sound(before) and not (off is not None and number(off) < _UNHEARD_DB)


def _sound(artefact: Artefact) -> list[str]:
    """Hashes of what an artefact holds to be heard: equal where a stage has changed nothing."""
    return sorted(
        stored.sha256
        for name, stored in artefact.manifest.files.items()
        if name.endswith(".wav") and "/" not in name
    )


def _music(profiled: Artefact, analysed: Artefact | None) -> models.Music | None:
    """Sections and chords as the analysis has them, once it is made."""
    try:
        profile = Profile.read(profiled.path("profile.json"))
        analysis = None if analysed is None else Analysis.read(analysed.path(ANALYSIS))
    except ValidationError:  # of an earlier version, whose track is behind
        return None
    sections = (
        [
            models.Section(
                start_s=one.start_s,
                end_s=one.end_s,
                label=one.label,
                name=None,
                name_confidence=0,
                confidence=None,
            )
            for one in profile.sections
        ]
        if analysis is None
        else [
            models.Section(
                start_s=one.start_s,
                end_s=one.end_s,
                label=one.label,
                name=one.name,
                name_confidence=one.name_confidence,
                confidence=one.confidence,
            )
            for one in analysis.sections
        ]
    )
    return models.Music(
        tempo_bpm=profile.tempo_bpm,
        tempo_confidence=profile.tempo_confidence,
        time_signature=profile.metre,
        metre_confidence=profile.metre_confidence,
        key=profile.key,
        key_confidence=profile.key_confidence,
        camelot=profile.camelot,
        sound=sound_of(profile.quality),
        beats_s=list(profile.beats_s),
        downbeats_s=list(profile.downbeats_s),
        sections=sections,
        chords=[
            models.Chord(start_s=one.start_s, end_s=one.end_s, label=chord_text(one.label))
            for one in (analysis.chords if analysis else ())
            if chord_text(one.label)
        ],
    )
