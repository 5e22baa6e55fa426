"""What `resonate status` tells: every track with how far it came, and every rejected file."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from resonate_assets.definitions import TRACK_ASSETS, build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.partitions import tracks
from resonate_assets.settings import Settings
from resonate_resources.storage.catalogue import stale_tracks
from resonate_resources.storage.current import rebuild, stages_made, was_walked
from resonate_resources.storage.sources import Rejection


@dataclass(frozen=True)
class TrackStatus:
    """A track, the stages that have an artefact, how many there are in all, and done, behind (what it is made
    from, its brief or the code has changed since), unfinished or rejected."""

    track: str
    made: list[str]
    stages: int
    state: str


@dataclass(frozen=True)
class LibraryStatus:
    tracks: list[TrackStatus]
    rejected: list[Rejection]


def library_status(settings: Settings, instance: dg.DagsterInstance) -> LibraryStatus:
    """Look at the index of what is current, and at the instance for tracks of which nothing was made yet."""
    storage = build_defs(settings).resources["storage"]  # type: ignore[index]
    rejections = storage.sources.rejections()
    rejected = {rejection.track for rejection in rejections}
    if not was_walked(storage.database):
        rebuild(storage.database, storage.store)
    made = stages_made(storage.database)
    code_versions = {
        stage.key.path[-1]: stage.code_versions_by_key[stage.key] or "" for stage in TRACK_ASSETS
    }
    behind = {each.track for each in stale_tracks(storage.database, code_versions)}
    for track in instance.get_dynamic_partitions(str(tracks.name)):
        made.setdefault(track, [])
    return LibraryStatus(
        [
            _status(track, [stage for stage in STAGES if stage in stages], track in rejected, track in behind)
            for track, stages in sorted(made.items())
        ],
        rejections,
    )


def _status(track: str, made: list[str], rejected: bool, behind: bool) -> TrackStatus:
    state = "done" if len(made) == len(STAGES) else "unfinished"
    if rejected:
        state = "rejected"
    elif behind and state == "done":
        state = "behind"
    return TrackStatus(track, made, len(STAGES), state)
