"""A track and all that was made of it, out of the library. The user's own file is never touched; a copy of it that
came through the page is ours, and goes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import dagster as dg

from resonate_assets.definitions import ORIGIN_ASSETS, TRACK_ASSETS
from resonate_assets.forgetting import forget_in_records, forget_run
from resonate_assets.partitions import tracks
from resonate_assets.runs import PARTITION_TAG
from resonate_resources.exporting.folder import folder_of
from resonate_resources.exporting.folder import forget as forget_exports
from resonate_resources.storage.catalogue import forget_track as forget_in_catalogue
from resonate_resources.storage.current import current_of, forget
from resonate_resources.storage.heartbeats import DEAD_AFTER_SECONDS, alive, heartbeats, tracks_in_use
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.retries import note_tries
from resonate_resources.storage.taken_in import forget_file, forget_tracks
from resonate_resources.storage.tracks import forget_rows
from resonate_studio.hearing.abx import FOLDER as LISTENING
from resonate_studio.hearing.light_store import LightStore, beginning_of
from resonate_studio.references import earlier_references, forget_references, set_references

_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)


def is_being_removed(storage: StorageResource, track: str) -> bool:
    """Whether somebody is at it. One that was killed in its midst can be begun again after half a minute."""
    beats = heartbeats(storage.database, "remove")
    return any(beat.name == track and beat.age < DEAD_AFTER_SECONDS for beat in beats)


class Removal:
    """Of one track. light: what the page has heard and seen of it on this machine."""

    def __init__(
        self, storage: StorageResource, instance: dg.DagsterInstance, track: str, light: LightStore
    ) -> None:
        self._storage, self._instance, self.track, self._light = storage, instance, track, light

    def obstacle(self) -> str | None:
        """Why it can't be removed now, in one line: somebody is at work on it."""
        at_work = any(not run.is_finished and run.status not in _WAITING for run in self._runs())
        if at_work or self.track in tracks_in_use(self._storage.database):
            return f"{self.track}: is being worked at; try again when that is done, or stop it first"
        return None

    def exports(self) -> str | None:
        """The folder that people were given of it, as a key in storage."""
        return folder_of(self._storage.store, self.track)

    def carry_out(self, keep_exports: bool = False) -> None:
        """Artefacts, exports (but what somebody changed there or put there), source, brief, listening tests
        and rejection, rows of the database, runs, and at last the partition, so that one that was killed in between
        can be begun again. Raises OSError and SQLAlchemyError."""
        storage, track = self._storage, self.track
        with alive(storage.database, "remove", track, track):
            source = storage.sources.find(track)
            references = set_references(storage, track) | earlier_references(storage, track)
            stages = {stage.key.path[-1] for stage in (*ORIGIN_ASSETS, *TRACK_ASSETS)}
            stages |= current_of(storage.database, [track]).get(track, {}).keys()
            heard = self._files_of(stages)
            # What others may stand in the way of comes first: where it fails, the track is whole still.
            forget_exports(storage.store, track, keep_files=keep_exports)
            for stage in stages:
                # Without its manifest it counts no longer, whatever else is still there.
                storage.store.delete(f"artefacts/{stage}/{track}/manifest.json")
                forget(storage.database, [(stage, track)])
                storage.store.delete(f"artefacts/{stage}/{track}")
            forget_references(storage, references)
            storage.store.delete(f"briefs/{track}.json")
            storage.store.delete(f"{LISTENING}/{track}")
            storage.sources.forget(track, source.uri if source else "")
            self._light.forget({beginning_of(sha256) for sha256 in heard})
            forget_tracks(storage.database, [track])
            forget_rows(storage.database, track)
            forget_in_catalogue(storage.store, track)
            note_tries(storage.database, {}, [track])
            for run in self._runs():
                if not run.is_finished:
                    self._instance.report_run_canceled(run, "the track was removed")
                forget_run(self._instance, run.run_id)
            forget_in_records(self._instance, track)
            self._instance.delete_dynamic_partition(str(tracks.name), track)
            if source is not None:
                storage.forget_upload(source.uri)
                if not source.uri.startswith("s3://") and not Path(source.uri).exists():
                    forget_file(storage.database, source.uri)

    def _files_of(self, stages: Collection[str]) -> set[str]:
        """SHA-256 of all files that any result of the track has."""
        found: set[str] = set()
        for stage in stages:
            for entry in self._storage.store.entries(f"artefacts/{stage}/{self.track}"):
                parts = entry.key.split("/")
                if len(parts) == 5 and parts[4] == "manifest.json":
                    artefact = self._storage.artefacts.computed(stage, self.track, parts[3])
                    found |= {file.sha256 for file in artefact.manifest.files.values()} if artefact else set()
        return found

    def _runs(self) -> list[dg.DagsterRun]:
        return list(self._instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: self.track})))
