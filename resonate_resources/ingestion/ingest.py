"""From a user's file to the first artefact of its track. The file itself is only ever read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile as sf

from resonate_resources.ingestion.refusing import ReplacedError, name_of, refused_in_one_line
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.artwork import fitting
from resonate_resources.recordings.decoding import decode, printable_name
from resonate_resources.recordings.recording import Progress, Recording, file_sha256, silent
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.mono import cancelling
from resonate_resources.signal.true_peak import measure_sample_peak
from resonate_resources.storage.artefacts import Artefact, Read
from resonate_resources.storage.sources import Source

if TYPE_CHECKING:
    from resonate_resources.recordings.limits import Limits

CODE_VERSION = "3"
"""Raised when the algorithm changes in a way that no constant shows."""
TRACK = "track.wav"
FACTS = "track.json"
ARTWORK = "artwork"


def recipe(limits: Limits) -> Recipe:
    """How files are decoded. libsndfile decodes some of them, and is named by its own version."""
    settings: dict[str, Json] = {
        "libsndfile": sf.__libsndfile_version__,
        "artwork_mib": limits.artwork_mib,
    }
    return Recipe.of(__name__, Engine("decoder"), settings, CODE_VERSION)


def ingest(file: Path, source: Source, limits: Limits, into: Path, progress: Progress = silent) -> Product:
    """Decode a source that lies at `file` into `track.wav`, its tags and facts into `track.json`.

    What tags do not say the track was called when it came in is taken from the source. Raises AudioError, with one
    line, where the file can't be used, and ReplacedError where its content is no longer what it was.
    """
    with refused_in_one_line(source.uri):
        return _ingest(file, source, limits, into, progress)


def _ingest(file: Path, source: Source, limits: Limits, into: Path, progress: Progress) -> Product:
    name = name_of(source.uri)
    if file_sha256(file) != source.sha256:
        raise ReplacedError(
            f"{printable_name(name)}: has changed since it was found; it will be taken in as a new track"
        )
    decoded = decode(file, into, progress, limits, name)
    tags = read_tags(file)
    tags = replace(tags, artist=tags.artist or source.artist, title=tags.title or source.title)
    notes = list(decoded.notes)
    facts = {
        "codec": decoded.codec,
        "container": decoded.container,
        "bit_depth": decoded.bit_depth,
        "lossless": decoded.lossless,
        "trimmed_start": decoded.trimmed_start,
        "trimmed_end": decoded.trimmed_end,
        "tags": tags.to_json(),
    }
    (into / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    files = {TRACK: into / TRACK, FACTS: into / FACTS}
    if tags.artwork:
        artwork, note = fitting(tags.artwork, int(limits.artwork_mib * 2**20))
        if artwork:
            (into / ARTWORK).write_bytes(artwork)
            files[ARTWORK] = into / ARTWORK
        if note:
            notes.append(note)
    recording = decoded.recording
    if cancelling(recording) is not None:
        notes.append("the channels are out of phase: tempo, key and notes are heard in one of them")
    return Product(files, measures_of(recording, decoded.codec), tuple(notes))


def measures_of(recording: Recording, codec: str) -> dict[str, float | int | str | bool]:
    """What is told of a track as it came in."""
    return {
        "duration_s": round(recording.duration, 3),
        "sample_rate_hz": recording.sample_rate,
        "channels": recording.channels,
        "frames": recording.frames,
        "loudness_lufs": measure_loudness(recording).integrated_lufs,
        "sample_peak_dbfs": measure_sample_peak(recording),
        "codec": codec,
    }


def source_read(source: Source) -> Read:
    """What `ingest` reads of a source: its content, and what it was called where tags do not say."""
    read: dict[str, Json] = {"sha256": source.sha256, "artist": source.artist, "title": source.title}
    return Read("source", source.sha256, read)


def tags_read(raw_track: Artefact) -> Read:
    """What `kept_tags` gives, as what a stage reads: other facts of the file change nothing."""
    artwork = raw_track.manifest.files.get(ARTWORK)
    tags: dict[str, Json] = raw_track.read_json(FACTS)["tags"]
    return raw_track.reading({"tags": tags, "artwork": artwork.sha256 if artwork else None})


def kept_tags(raw_track: Artefact) -> Tags:
    """The tags that `ingest` kept, with the artwork."""
    artwork = raw_track.path(ARTWORK).read_bytes() if ARTWORK in raw_track.manifest.files else None
    return replace(Tags.from_json(raw_track.read_json(FACTS)["tags"]), artwork=artwork)
