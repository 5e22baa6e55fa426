"""Files to take away: whole or by range, and a cover made small."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi.responses import FileResponse, Response
from starlette.requests import Request

from resonate_resources.exporting.contents import SPOKEN, stem_in_words
from resonate_resources.exporting.names import file_name
from resonate_resources.ingestion.ingest import ARTWORK
from resonate_resources.mastering.targets import label_and_form
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_resources.transcription.note_files import QUANTISED
from resonate_studio.api.addresses import is_for_people, media_type
from resonate_studio.api.problems import not_found

COVER_PIXELS = 384
"""Of the longer side: twice what the library shows, for screens with two pixels to a point."""
_COVER_QUALITY = 82
_PIXELS_MAX = 200_000_000


def stored_file(
    storage: StorageResource, track: str, stage: str, name: str, key: str | None
) -> tuple[Artefact, str]:
    """The artefact and the file of it. Names are looked up in its manifest, and so lead nowhere else. Raises
    ProblemError."""
    artefact = (
        storage.artefacts.current(stage, track)
        if key is None
        else storage.artefacts.computed(stage, track, key)
    )
    if artefact is None or name not in artefact.manifest.files or not is_for_people(name):
        raise not_found("there is no such file of this track")
    return artefact, name


def file_answer(artefact: Artefact, name: str, source: Source | None, earlier: bool = False) -> Response:
    """By range where one is asked for. A name for a person; pictures are shown, all else is taken away."""
    since = f", of {artefact.manifest.made_at[:16].replace('T', ' ').replace(':', '.')}" if earlier else ""
    path = artefact.path(name)
    kind = media_type(name)
    stored = artefact.manifest.files[name]
    called = spoken_name(artefact, name, source, since)
    shown = "inline" if kind.startswith("image/") else "attachment"
    return FileResponse(
        path,
        media_type=kind,
        headers={
            "ETag": f'"{stored.sha256}"',
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f"{shown}; filename*=utf-8''{quote(called)}",
        },
    )


def spoken_name(artefact: Artefact, name: str, source: Source | None, since: str = "") -> str:
    """`Artist - Title (Vocals).wav`, as exports are called; what is no music by its own name. since: what tells an
    earlier result from the one that counts."""
    stage = artefact.manifest.stage
    artist, title = (source.artist, source.title) if source else (None, None)
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix.lstrip(".")
    if stage == "master" and stem.startswith("master"):
        label, form = label_and_form(name)
        return file_name(artist, title, (f"Master, {label}" if label else "Master") + since, form)
    if stage in SPOKEN and ending == "wav":
        return file_name(artist, title, f"{stem_in_words(artefact, name)}{since}", ending)
    if stage == "midi" and ending == "mid":
        grid = ", quantised" if name.startswith(QUANTISED) else ""
        return file_name(artist, title, f"{stem.capitalize()}{grid}{since}", ending)
    if ending == "wav":
        return file_name(artist, title, {"track": "Original"}.get(stem, stem.capitalize()) + since, ending)
    return f"{stage}-{name}"


def cover_answer(storage: StorageResource, track: str, request: Request) -> Response:
    """The file's own cover as a small JPEG, which the browser keeps. Raises ProblemError where there is none."""
    raw = storage.artefacts.current("raw_track", track)
    if raw is None or ARTWORK not in raw.manifest.files:
        raise not_found("this track has no cover")
    headers = {"ETag": f'"{raw.manifest.files[ARTWORK].sha256}"', "Cache-Control": "private, max-age=3600"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    small = _small(raw.path(ARTWORK).read_bytes())
    if small is None:
        raise not_found("this track's cover can't be shown")
    return Response(small, media_type="image/jpeg", headers=headers)


def _small(image: bytes) -> bytes | None:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(image)) as opened:
            if opened.width * opened.height > _PIXELS_MAX:
                return None
            opened.draft("RGB", (COVER_PIXELS, COVER_PIXELS))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((COVER_PIXELS, COVER_PIXELS))
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=_COVER_QUALITY)
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # what Pillow raises for broken images
        return None
    return written.getvalue()
