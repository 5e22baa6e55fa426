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
from resonate_resources.storage.taken_in import claim


def known_track(storage: StorageResource, instance: dg.DagsterInstance, source: Source) -> str | None:
    """The track that there is of the same content, perhaps by another name."""
    return known_as(storage.database, [source], partitions_of(instance)).get(content_of(source.track))


def has_its_file(storage: StorageResource, track: str) -> bool:
    """Whether the file that a track was made of is where it was; of one on S3, that is believed."""
    known = storage.sources.find(track)
    return known is not None and (known.uri.startswith("s3://") or Path(known.uri).is_file())


def register(storage: StorageResource, instance: dg.DagsterInstance, source: Source) -> Source:
    """Gives the source as it is registered: of content that is a track already, or is made one by somebody else at
    this moment, under that one's key."""
    track = known_track(storage, instance, source)
    # What is no partition yet may be about to be one.
    entered = claim(storage.database, content_of(source.track), track or source.track)
    track = track or entered
    known = storage.sources.find(track)
    # What it was first called stays; this file is where its content is for certain.
    source = replace(source, track=track) if known is None else replace(known, uri=source.uri)
    storage.sources.register(source)
    instance.add_dynamic_partitions(str(tracks.name), [source.track])
    return source
