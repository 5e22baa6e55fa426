"""The reference that words name: a track of the library, or a file."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from resonate_assets.analysis import analysis
from resonate_assets.profile import profile
from resonate_assets.raw_track import raw_track
from resonate_assets.referencing import PROFILE, REFERENCE, hear_reference, passages_of
from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.capabilities import Analysing, Profiling
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.ingestion.refusing import name_of, refused_in_one_line
from resonate_resources.ingestion.track_key import TRACK_KEY
from resonate_resources.ingestion.words import is_words
from resonate_resources.profiling.profile import Profile
from resonate_resources.recipe import Json
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError, Recording, file_sha256
from resonate_resources.storage.artefacts import Artefact, Read
from resonate_resources.storage.catalogue import stale_stages
from resonate_resources.storage.current import Versions, current_of
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source


def versions_of(*assets: dg.AssetsDefinition) -> dict[str, str]:
    """Stage → its code's version."""
    return {asset.key.path[-1]: asset.code_versions_by_key[asset.key] or "" for asset in assets}


_HEARD = versions_of(raw_track, profile, analysis)
"""Stages that tell of a track what is taken of it."""

Told = tuple[Artefact, Artefact, Artefact]
"""raw_track, profile and analysis of a track, all of them current."""


@dataclass(frozen=True)
class NamedReference:
    """name: as people know it. sha256: of its content. at: its file, or what was made of it as a track."""

    name: str
    sha256: str
    at: Path | Told

    def read(self, more: Mapping[str, Json]) -> Read:
        """What a composition read of it: its content, whatever is heard in that. more: of what was made of it."""
        return Read("reference", self.sha256, {"sha256": self.sha256, "name": self.name, **more})

    def hear(self, scratch: Path, profiling: Profiling, analysing: Analysing) -> HeardReference:
        """Raises AudioError, in one line, for what is no music."""
        if isinstance(self.at, Path):
            return hear_reference(self.at, scratch, profiling, analysing, self.name)
        return told_by(self.at, self.name)

    def profile(self, scratch: Path) -> Mapping[str, Any]:
        """After it was heard with the same scratch folder."""
        if isinstance(self.at, Path):
            told: Mapping[str, Any] = json.loads((scratch / PROFILE).read_text("utf-8"))
            return told
        return self.at[1].read_json(PROFILE)  # type: ignore[no-any-return]

    def recording(self, scratch: Path) -> Recording:
        """After it was heard with the same scratch folder."""
        return (
            Recording.open(scratch / REFERENCE) if isinstance(self.at, Path) else self.at[0].recording(TRACK)
        )


def find_reference(storage: StorageResource, named: str, words: Source, scratch: Path) -> NamedReference:
    """named: the key of a track of the library, or a file, by its path from where the words are. Raises AudioError,
    in one line, where there is none."""
    if (track := track_of(storage, named)) is not None:
        at = made_of(storage, track.track) or _file_of(storage, track, scratch)
        return NamedReference(name_of_track(track), track.sha256, at)
    uri = _place(named, words)
    own = posixpath.dirname(words.uri)
    # Nobody reads the server by what they send.
    if storage.is_upload(words.uri) and not _resolved(uri).startswith(f"{_resolved(own)}/"):
        raise AudioError("reference: is a place on the server; give the file itself")
    name = printable_name(name_of(uri))
    with refused_in_one_line(uri):
        file = storage.local_copy(uri, scratch)
        if not file.is_file():
            raise AudioError(f"reference: {name} is neither a file nor the key of a track of the library")
        return NamedReference(name, file_sha256(file), file)


def track_of(storage: StorageResource, named: str) -> Source | None:
    """The track of the library with that key, if it is one."""
    return storage.sources.find(named) if TRACK_KEY.fullmatch(named) else None


def name_of_track(source: Source) -> str:
    """As people know it."""
    return printable_name(" – ".join(part for part in (source.artist, source.title) if part) or source.name)


def made_of(storage: StorageResource, track: str) -> Told | None:
    """What of a track tells it as a reference, where all of that is current."""
    found = current(storage, track, _HEARD)
    return (found[0], found[1], found[2]) if found else None


def current(storage: StorageResource, track: str, stages: Mapping[str, str]) -> Sequence[Artefact]:
    """Of a track its artefacts of these stages, in that order; none unless all are current. stages: see
    `versions_of`."""
    made = current_of(storage.database, [track]).get(track, {})
    versions = {
        stage: Versions(each.key, each.data_version, each.code_version, each.made_from, each.published_at)
        for stage, each in made.items()
    }
    if stale_stages(versions, stages):
        return []
    found = [storage.artefacts.current(stage, track) for stage in stages]
    whole = [artefact for artefact in found if artefact is not None and artefact.complete()]
    return whole if len(whole) == len(stages) else []


def told_by(made: Told, name: str) -> HeardReference:
    """Raises AudioError for what is no music."""
    raw, profiled, analysed = made
    passages = passages_of(raw.recording(TRACK), Profile.read(profiled.path(PROFILE)))
    return HeardReference.of(name, profiled.read_json(PROFILE), analysed.read_json(ANALYSIS), passages)


def _file_of(storage: StorageResource, source: Source, scratch: Path) -> Path:
    raw = storage.artefacts.current("raw_track", source.track)
    if raw is not None and raw.complete():
        return raw.path(TRACK)
    if is_words(source):
        raise AudioError(f"reference: {source.track} is not composed yet; have it composed first")
    with refused_in_one_line(source.uri):
        file = storage.local_copy(source.uri, scratch)
        if file_sha256(file) != source.sha256:
            raise AudioError(f"reference: the file of {source.track} has changed since it was found")
        return file


def _resolved(uri: str) -> str:
    """Of a file here what it is by its links; a key in a bucket has been put right, see `_place`."""
    return uri if uri.startswith("s3://") else str(Path(uri).resolve())


def _place(named: str, words: Source) -> str:
    """Of words in a bucket, what is in that bucket."""
    if not words.uri.startswith("s3://"):
        return named if named.startswith("s3://") else str(Path(words.uri).parent / named)
    bucket, _, key = words.uri.removeprefix("s3://").partition("/")
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(key), named))
    if named.startswith(("/", "s3://")) or beside.startswith(".."):
        raise AudioError("reference: words in a bucket name a file in it, by its path from theirs")
    return f"s3://{bucket}/{beside}"
