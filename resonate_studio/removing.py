"""A track and all that was made of it, out of the library. The user's own file is never touched; a copy of it that
came through the page is ours, and goes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from resonate_assets.definitions import ORIGIN_ASSETS, TRACK_ASSETS
from resonate_assets.forgetting import forget_in_records, forget_run
from resonate_assets.partitions import tracks
from resonate_assets.runs import PARTITION_TAG
from resonate_resources.exporting.folder import folder_of
from resonate_resources.exporting.folder import forget as forget_exports
from resonate_resources.storage.catalogue import forget_track as forget_in_catalogue
from resonate_resources.storage.current import current_of, forget
from resonate_resources.storage.database import write_back
from resonate_resources.storage.heartbeats import REMOVAL, alive, forget_dead, tracks_in_use
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.retries import note_tries
from resonate_resources.storage.taken_in import forget_file, forget_tracks
from resonate_resources.storage.tracks import forget_rows
from resonate_studio.hearing.abx import FOLDER as LISTENING
from resonate_studio.hearing.light_store import LightStore, beginning_of
from resonate_studio.references import earlier_references, forget_references, set_references

_OF_DAGSTER = ("history/runs.db", "history/runs/index.db", "history/runs/.db", "schedules/schedules.db")
"""Databases of an instance in SQLite, but for those of single runs; `.db` has the events outside of runs."""
_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)


class Removal:
    """Of one track. light: what the page has heard and seen of it on this machine."""

    def __init__(
        self, storage: StorageResource, instance: dg.DagsterInstance, track: str, light: LightStore
    ) -> None:
        self._storage, self._instance, self.track, self._light = storage, instance, track, light

    def exports(self) -> str | None:
        """The folder that people were given of it, as a key in storage."""
        return folder_of(self._storage.store, self.track)

    def carry_out(self, keep_exports: bool = False) -> str | None:
        """Artefacts, exports (but what somebody changed there or put there), source, brief, listening tests
        and rejection, rows of the database, runs, and at last the partition, so that one that was killed in between
        can be begun again. Gives why nothing was removed, in one line, where somebody is at work on the track.
        Raises OSError and SQLAlchemyError."""
        storage, track = self._storage, self.track
        with alive(storage.database, REMOVAL, track, track) as own:
            # After the heartbeat, which a run that begins looks for: either it is seen here, or we are there.
            if self._is_worked_at(own):
                return f"{track}: is being worked at; try again when that is done, or stop it first"
            for run in self._runs():
                if not run.is_finished:  # it waits, and would begin what is no more
                    self._instance.report_run_canceled(run, "the track was removed")
            stages = {stage.key.path[-1] for stage in (*ORIGIN_ASSETS, *TRACK_ASSETS)}
            stages |= current_of(storage.database, [track]).get(track, {}).keys()
            # What others may stand in the way of comes first: where it fails, the track is whole still.
            forget_exports(storage.store, track, keep_files=keep_exports)
            # Before the artefacts, which alone tell what else there is.
            self._light.forget({beginning_of(sha256) for sha256 in self._files_of(stages)})
            forget_references(storage, set_references(storage, track) | earlier_references(storage, track))
            for stage in stages:
                # Without its manifest it counts no longer, whatever else is still there.
                storage.store.delete(f"artefacts/{stage}/{track}/manifest.json")
                forget(storage.database, [(stage, track)])
                storage.store.delete(f"artefacts/{stage}/{track}")
            storage.store.delete(f"briefs/{track}.json")
            storage.store.delete(f"{LISTENING}/{track}")
            forget_rows(storage.database, track)
            forget_in_catalogue(storage.store, track)
            note_tries(storage.database, {}, [track])
            for run in self._runs():
                forget_run(self._instance, run.run_id)
            forget_in_records(self._instance, track)
            self._forget_source()
            forget_dead(storage.database, track)
            self._instance.delete_dynamic_partition(str(tracks.name), track)
        self._write_databases_back()
        return None

    def _is_worked_at(self, own: str) -> bool:
        at_work = any(not run.is_finished and run.status not in _WAITING for run in self._runs())
        return at_work or self.track in tracks_in_use(self._storage.database, but_by=own)

    def _forget_source(self) -> None:
        """Its record last, which alone tells where the rest is."""
        storage, track = self._storage, self.track
        source = storage.sources.find(track)
        if source is not None:
            storage.forget_upload(source.uri)
            if not source.uri.startswith("s3://") and not Path(source.uri).exists():
                forget_file(storage.database, source.uri)
        forget_tracks(storage.database, [track])
        storage.sources.forget(track, source.uri if source else "")

    def _write_databases_back(self) -> None:
        address = sa.make_url(self._storage.database)
        own = [Path(address.database)] if address.get_backend_name() == "sqlite" and address.database else []
        for file in (*own, *(Path(self._instance.root_directory) / name for name in _OF_DAGSTER)):
            write_back(file)

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
