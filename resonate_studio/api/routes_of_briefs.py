"""Routes of briefs: what is wanted of a track, changed, and what was wanted before."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from resonate_studio.api.models import Brief, BriefChange, BriefChanged, EarlierBriefs, TrackKey
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers

router = APIRouter(tags=["briefs"])

Key = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("/brief/schema", responses=answers())
def brief_schema() -> dict[str, Any]:
    """The JSON schema of a brief: sections, names, ranges, what each means."""
    raise NotImplementedError


@router.get("/tracks/{track}/brief", responses=answers(404, 409))
def show_brief(home: OpenedHome, track: TrackKey) -> Brief:
    """What is wanted of a track, and where each value is from."""
    raise NotImplementedError


@router.patch(
    "/tracks/{track}/brief",
    responses={202: {"model": BriefChanged, "description": "Being made"}, **answers(404, 409)},
)
def change_brief(home: OpenedHome, track: TrackKey, change: BriefChange, response: Response) -> BriefChanged:
    """Set and unset values. 202 with a job where something is made anew, 200 where nothing is."""
    raise NotImplementedError


@router.get("/tracks/{track}/brief/earlier", responses=answers(404, 409))
def earlier_briefs(home: OpenedHome, track: TrackKey) -> EarlierBriefs:
    """Briefs that results were made with before, the latest first."""
    raise NotImplementedError


@router.post(
    "/tracks/{track}/brief/earlier/{key}",
    responses={202: {"model": BriefChanged, "description": "Being made"}, **answers(404, 409)},
)
def restore_brief(home: OpenedHome, track: TrackKey, key: Key, response: Response) -> BriefChanged:
    """Want again what was wanted then."""
    raise NotImplementedError
