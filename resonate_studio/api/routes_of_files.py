"""Routes of files to take away: single ones by range, many as one archive."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from resonate_studio.api.models import TrackKey
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers

router = APIRouter(tags=["files"])

Stage = Annotated[str, Path(pattern=r"^[a-z_]{1,32}$")]
Name = Annotated[str, Path(min_length=1, max_length=200)]
Format = Literal["wav", "flac", "mp3", "m4a", "opus"]


@router.get("/tracks/{track}/cover", response_class=Response, responses=answers(404))
def cover(home: OpenedHome, track: TrackKey, request: Request) -> Response:
    """The cover, small."""
    raise NotImplementedError


@router.get("/tracks/{track}/files/{stage}/{name}", response_class=Response, responses=answers(404, 416))
def download(
    home: OpenedHome,
    track: TrackKey,
    stage: Stage,
    name: Name,
    request: Request,
    key: Annotated[str | None, Query(pattern=r"^[0-9a-f]{16}$")] = None,
) -> Response:
    """A file that a stage made. key: of an earlier result."""
    raise NotImplementedError


@router.get("/tracks/{track}/archive", response_class=Response, responses=answers(404))
def archive(
    home: OpenedHome,
    track: TrackKey,
    what: Annotated[str, Query(pattern=r"^[a-z_]+(,[a-z_]+)*$", max_length=200)] = "master",
    format: Format = "wav",  # noqa: A002 — as the query has it
    bits: Literal[16, 24, 32] = 24,
    rate: Literal[44100, 48000] | None = None,
) -> Response:
    """What is asked for, as one zip."""
    raise NotImplementedError
