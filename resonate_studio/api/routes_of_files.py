"""Routes of files to take away: single ones by range, many as one archive."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from resonate_studio.api import archive as archives
from resonate_studio.api import downloads
from resonate_studio.api.addresses import MEDIA_TYPES
from resonate_studio.api.models import TrackKey
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers
from resonate_studio.api.serving import Served

router = APIRouter(tags=["files"])

Stage = Annotated[str, Path(pattern=r"^[a-z_]{1,32}$")]
Name = Annotated[str, Path(min_length=1, max_length=200)]


def _number(told: object) -> object:
    """Literal numbers are told in an address as text."""
    return (
        int(told) if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 9 else told
    )


def _bytes_of(*kinds: str, partial: bool = False) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    told: dict[int | str, dict[str, Any]] = {200: {"description": "The bytes", "content": content}}
    if partial:
        told[206] = {"description": "Of the range that was asked for", "content": content}
    return told


@router.head("/tracks/{track}/cover", include_in_schema=False)
@router.get(
    "/tracks/{track}/cover",
    response_class=Response,
    responses={**_bytes_of("image/jpeg"), 304: {"description": "As it was"}, **answers(404)},
)
def cover(home: OpenedHome, track: TrackKey, request: Request) -> Response:
    """The cover, small."""
    return downloads.cover_answer(home.storage, track, request)


@router.head("/tracks/{track}/files/{stage}/{name:path}", include_in_schema=False)
@router.get(
    "/tracks/{track}/files/{stage}/{name:path}",
    response_class=Response,
    responses={
        **_bytes_of(*sorted({*MEDIA_TYPES.values(), "application/octet-stream"}), partial=True),
        **answers(404, 409, 416),
    },
)
def download(
    home: OpenedHome,
    track: TrackKey,
    stage: Stage,
    name: Name,
    key: Annotated[str | None, Query(pattern=r"^[0-9a-f]{16}$")] = None,
) -> Response:
    """A file that a stage made. key: of an earlier result."""
    artefact, _ = downloads.stored_file(home.storage, track, stage, name, key)
    return downloads.file_answer(artefact, name, home.storage.sources.find(track), earlier=key is not None)


@router.head("/tracks/{track}/archive", include_in_schema=False)
@router.get(
    "/tracks/{track}/archive",
    response_class=StreamingResponse,
    responses={**_bytes_of("application/zip"), **answers(404, 409)},
)
def archive(
    serving: Served,
    request: Request,
    track: TrackKey,
    what: Annotated[str, Query(pattern=r"^[a-z_]+(,[a-z_]+)*$", max_length=200)] = "master",
    format: archives.Format = "wav",  # noqa: A002 — as the query has it
    bits: Annotated[Literal[16, 24, 32], BeforeValidator(_number)] = 24,
    rate: Annotated[Literal[44100, 48000] | None, BeforeValidator(_number)] = None,
) -> Response:
    """What is asked for, as one zip."""
    storage, wanted = serving.opened.storage, archives.Wanted(format, bits, rate)
    chosen = archives.members(storage, track, what.split(","), wanted)
    called = archives.called(storage.sources.find(track))
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(called)}"}
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    give_back = serving.archives.take(request.client.host if request.client else "")
    made = archives.archive(storage, track, chosen, wanted, serving.archives)
    return archives.ArchiveResponse(made, headers, give_back)
