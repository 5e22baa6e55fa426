"""The song of a track: what stages made of it, on one time line, for every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from resonate_resources.brief.brief import Brief
from resonate_resources.exporting.contents import known_tags
from resonate_resources.exporting.provenance import provenance_of
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.ingestion.ingest import TRACK, kept_tags
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.recordings.score import MUSIC
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.sources import Source

MADE = ("raw_track", "profile", "analysis", "restored_stems", "midi", "master")
"""Stages that a song is made of."""
REBUILT = "regenerated_stems"
"""And what a song is told of, where a target wants it."""
REBUILT_REPORT = "regeneration.json"


def song_of(source: Source, wanted: Brief, made: Mapping[str, Artefact], artefacts: Artefacts) -> Song:
    """made: of MADE, and REBUILT where it is wanted. Raises AudioError where a file of theirs was changed."""
    raw, midi = made["raw_track"], made["midi"]
    profile: dict[str, Any] = made["profile"].read_json("profile.json")
    if MUSIC in midi.manifest.files:  # what the track was played by counts before what is heard in it
        profile |= midi.read_json(MUSIC)
    own = kept_tags(raw)
    music = Music.of(profile)
    file = None if source.uri.startswith("s3://") or not Path(source.uri).is_file() else Path(source.uri)
    tags = known_tags(own, wanted, profile, source.artist, source.title)
    # Programs have grid and key beside each other: what was heard counts there before what tags say.
    heard = known_tags(replace(own, bpm=None, key=None), wanted, profile, source.artist, source.title)
    return Song(
        track=source.track,
        tags=replace(tags, bpm=heard.bpm or tags.bpm, key=heard.key or tags.key),
        grid=music.grid,
        tempo_map=music.tempo_map(),
        keys=music.keys,
        sections=[
            Marker(_called(section), section["start_s"], section["end_s"])
            for section in made["analysis"].read_json("analysis.json")["sections"]
        ],
        original=raw.recording(TRACK),
        stems=made["restored_stems"].stems(),
        master=made["master"].recording("master.wav"),
        notes={
            PurePosixPath(name).stem: midi.path(name)
            for name in midi.note_files
            if midi.manifest.measures[f"{PurePosixPath(name).stem}_notes"]
        },
        source=file,
        source_changed=file is not None and _sha256(file) != source.sha256,
        rebuilt=made[REBUILT].read_json(REBUILT_REPORT)["stems"] if REBUILT in made else {},
        provenance=provenance_of(source, own, [made[stage] for stage in MADE], artefacts),
    )


def _sha256(file: Path) -> str:
    found = file.stat()
    return _hashed(file, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(file: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001 — by which it is known
    return file_sha256(file)


def _called(section: Mapping[str, Any]) -> str:
    name = section.get("name")
    return str(name).replace("_", " ").capitalize() if name else str(section["label"])
