"""From a user's file to the first artefact of its track. The file itself is only ever read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import soundfile as sf

from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import AudioError, Progress, file_sha256, silent
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.true_peak import measure_sample_peak
from resonate_resources.storage.artefacts import Artefact, Read

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""
TRACK = "track.wav"
FACTS = "track.json"
ARTWORK = "artwork"


def recipe() -> Recipe:
    """How files are decoded. libsndfile decodes some of them, and is named by its own version."""
    decoders: dict[str, Json] = {"libsndfile": sf.__libsndfile_version__}
    return Recipe.of(__name__, Engine("decoder"), decoders, CODE_VERSION)


def ingest(file: Path, name: str, sha256: str, into: Path, progress: Progress = silent) -> Product:
    """Decode a file whose content is known by its hash into `track.wav`, its tags and facts into `track.json`.

    name: what the user calls the file, for messages. Raises AudioError where it can't be decoded, or where its
    content is no longer what it was.
    """
    if file_sha256(file) != sha256:
        raise AudioError(f"{name}: has changed since it was found; it will be taken in as a new track")
    decoded = decode(file, into, progress)
    tags = read_tags(file)
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
        (into / ARTWORK).write_bytes(tags.artwork)
        files[ARTWORK] = into / ARTWORK
    recording = decoded.recording
    loudness = measure_loudness(recording)
    measures: dict[str, float | int | str | bool] = {
        "duration_s": round(recording.duration, 3),
        "sample_rate_hz": recording.sample_rate,
        "channels": recording.channels,
        "frames": recording.frames,
        "loudness_lufs": loudness.integrated_lufs,
        "sample_peak_dbfs": measure_sample_peak(recording),
        "codec": decoded.codec,
    }
    return Product(files, measures, decoded.notes)


def tags_read(raw_track: Artefact) -> Read:
    """What `kept_tags` gives, as what a stage reads: other facts of the file change nothing."""
    artwork = raw_track.manifest.files.get(ARTWORK)
    tags: dict[str, Json] = raw_track.read_json(FACTS)["tags"]
    return raw_track.reading({"tags": tags, "artwork": artwork.sha256 if artwork else None})


def kept_tags(raw_track: Artefact) -> Tags:
    """The tags that `ingest` kept, with the artwork."""
    artwork = raw_track.path(ARTWORK).read_bytes() if ARTWORK in raw_track.manifest.files else None
    return replace(Tags.from_json(raw_track.read_json(FACTS)["tags"]), artwork=artwork)
