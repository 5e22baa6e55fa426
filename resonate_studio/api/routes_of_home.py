"""Routes of the home as a whole: catalogue, rejected files, cache, health."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Query, Response

from resonate_studio.api import storing
from resonate_studio.api.addresses import MEDIA_TYPES
from resonate_studio.api.launching import runs_are_carried_out
from resonate_studio.api.models import Cache, CacheClear, CacheCleared, Health, RejectedFiles
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers, not_found
from resonate_studio.read_only import can_be_written

router = APIRouter(tags=["home"])


@router.get("/health", responses=answers())
def health(home: OpenedHome) -> Health:
    """Whether all is well."""
    settings = home.settings
    return Health(
        version=version("resonate-studio"),
        runs=runs_are_carried_out(home.instance),
        dagster_url=home.dagster_url,
        inbox=PurePath(settings.inbox).name,
        read_only=not can_be_written(settings),
    )


@router.head("/catalogue", include_in_schema=False)
@router.get(
    "/catalogue",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}}}},
        **answers(404),
    },
)
def catalogue(home: OpenedHome) -> Response:
    """Every track, a row each, as Parquet."""
    data = storing.catalogue(home)
    if data is None:
        raise not_found("there is no catalogue yet; it is made once a track is done")
    return Response(
        data,
        media_type=MEDIA_TYPES["parquet"],
        headers={"Content-Disposition": "attachment; filename=library.parquet"},
    )


@router.get("/rejections", responses=answers())
def rejections(home: OpenedHome) -> RejectedFiles:
    """Files that can't be used, the latest first."""
    return storing.rejected(home)


@router.get("/cache", responses=answers())
def cache(home: OpenedHome, older_than_days: Annotated[float, Query(ge=0, le=3650)] = 7.0) -> Cache:
    """What results take up, current and earlier ones, and what removing those of that age would free."""
    return storing.taken_up(home, older_than_days)


@router.post("/cache/clear", responses=answers())
def clear_cache(home: OpenedHome, ask: CacheClear) -> CacheCleared:
    """Remove earlier results that are older than that."""
    return storing.cleared(home, ask.older_than_days)
