"""What `resonate status` tells: every track with how far it came, and every rejected file."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES
from resonate_assets.partitions import tracks
from resonate_assets.settings import Settings
from resonate_resources.storage.sources import Rejection


@dataclass(frozen=True)
class TrackStatus:
    """A track, the stages that have an artefact, how many there are in all, and done, unfinished or rejected."""

    track: str
    made: list[str]
    stages: int
    state: str


@dataclass(frozen=True)
class LibraryStatus:
    tracks: list[TrackStatus]
    rejected: list[Rejection]


def library_status(settings: Settings, instance: dg.DagsterInstance) -> LibraryStatus:
    """Look at storage, which knows, and at the instance for tracks of which nothing was made yet."""
    storage = build_defs(settings).resources["storage"]  # type: ignore[index]
    rejections = storage.sources.rejections()
    rejected = {rejection.track for rejection in rejections}
    made: dict[str, list[str]] = {track: [] for track in instance.get_dynamic_partitions(str(tracks.name))}
    for stage in STAGES:
        for track, _ in storage.artefacts.all_current(stage):
            made.setdefault(track, []).append(stage)
    return LibraryStatus(
        [
            TrackStatus(track, stages, len(STAGES), _state(track in rejected, len(stages)))
            for track, stages in sorted(made.items())
        ],
        rejections,
    )


def _state(rejected: bool, made: int) -> str:
    if rejected:
        return "rejected"
    return "done" if made == len(STAGES) else "unfinished"
