"""Routes of the home as a whole: catalogue, rejected files, cache, health."""

from __future__ import annotations

from fastapi import APIRouter, Response

from resonate_studio.api.models import Cache, CacheClear, CacheCleared, Health, RejectedFiles
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers

router = APIRouter(tags=["home"])


@router.get("/health", responses=answers())
def health(home: OpenedHome) -> Health:
    """Whether all is well."""
    raise NotImplementedError


@router.get("/catalogue", response_class=Response, responses=answers(404))
def catalogue(home: OpenedHome) -> Response:
    """Every track, a row each, as Parquet."""
    raise NotImplementedError


@router.get("/rejections", responses=answers())
def rejections(home: OpenedHome) -> RejectedFiles:
    """Files that can't be used, the latest first."""
    raise NotImplementedError


@router.get("/cache", responses=answers())
def cache(home: OpenedHome) -> Cache:
    """What results take up, current and earlier ones."""
    raise NotImplementedError


@router.post("/cache/clear", responses=answers())
def clear_cache(home: OpenedHome, ask: CacheClear) -> CacheCleared:
    """Remove earlier results that are older than that."""
    raise NotImplementedError
