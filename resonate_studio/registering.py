"""A file that could be used becomes a track: registered in storage, and a partition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg

from resonate_assets.partitions import partitions_of, tracks
from resonate_resources.ingestion.intake import known_as
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.storage.taken_in import enter_tracks


def known_track(storage: StorageResource, instance: dg.DagsterInstance, source: Source) -> str | None:
    """The track that there is of the same content, perhaps by another name."""
    return known_as(storage.database, [source], partitions_of(instance)).get(content_of(source.track))


def has_its_file(storage: StorageResource, track: str) -> bool:
    """Whether the file that a track was made of is where it was; of one on S3, that is believed."""
    known = storage.sources.find(track)
    return known is not None and (known.uri.startswith("s3://") or Path(known.uri).is_file())


def register(storage: StorageResource, instance: dg.DagsterInstance, source: Source) -> Source:
    """Gives the source as it is registered: of content that is a track already, under its key."""
    track = known_track(storage, instance, source)
    if track is not None:
        known = storage.sources.find(track)
        # What it was first called stays; this file is where its content is for certain.
        source = replace(source, track=track) if known is None else replace(known, uri=source.uri)
    storage.sources.register(source)
    enter_tracks(storage.database, {content_of(source.track): source.track})
    instance.add_dynamic_partitions(str(tracks.name), [source.track])
    return source
