"""Addresses of what is made, as the page asks for them, and what kind of file it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from resonate_resources.ingestion.ingest import ARTWORK
from resonate_resources.storage.artefacts import PICTURE, THUMBNAIL, Artefact
from resonate_resources.transcription.note_files import QUANTISED
from resonate_studio.api.models import Result

PREFIX = "/api/v1"
MEDIA_TYPES: Mapping[str, str] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "opus": "audio/ogg",
    "mid": "audio/midi",
    "json": "application/json",
    "png": "image/png",
    "parquet": "application/vnd.apache.parquet",
}
_NOT_TAKEN_AWAY = {PICTURE, THUMBNAIL, ARTWORK}


def media_type(name: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lstrip("."), "application/octet-stream")


def job_url(job_id: str) -> str:
    return f"{PREFIX}/jobs/{job_id}"


def track_url(track: str) -> str:
    return f"{PREFIX}/tracks/{track}"


def file_url(track: str, stage: str, name: str, key: str | None = None) -> str:
    """key: of an earlier result; without it, of what counts at the time of asking."""
    asked = f"?key={key}" if key else ""
    return f"{track_url(track)}/files/{stage}/{quote(name, safe='')}{asked}"


def is_for_people(name: str) -> bool:
    """Of an artefact's files, those at its top and notes on the grid; other folders hold what led to them."""
    return "/" not in name or name.startswith(QUANTISED)


def results_of(artefact: Artefact) -> list[Result]:
    """The files of a stage that can be taken away."""
    manifest = artefact.manifest
    return [
        Result(
            stage=manifest.stage,
            name=name,
            url=file_url(manifest.track, manifest.stage, name),
            size=stored.size,
            media_type=media_type(name),
        )
        for name, stored in manifest.files.items()
        if name not in _NOT_TAKEN_AWAY and is_for_people(name)
    ]
