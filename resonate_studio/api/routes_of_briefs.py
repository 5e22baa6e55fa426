"""Routes of briefs: what is wanted of a track, changed, and what was wanted before."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from resonate_studio.api.briefs import schema
from resonate_studio.api.models import Brief, BriefChange, BriefChanged, EarlierBriefs, TrackKey
from resonate_studio.api.problems import answers
from resonate_studio.api.serving import Served

router = APIRouter(tags=["briefs"])

Key = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("/brief/schema", responses=answers())
def brief_schema() -> dict[str, Any]:
    """The JSON schema of a brief: sections, names, ranges, what each means."""
    return schema()


@router.get("/tracks/{track}/brief", responses=answers(404, 409))
def show_brief(serving: Served, track: TrackKey) -> Brief:
    """What is wanted of a track, and where each value is from."""
    serving.tracks.require(track)
    return serving.briefs.show(track)


@router.patch(
    "/tracks/{track}/brief",
    responses={202: {"model": BriefChanged, "description": "Being made"}, **answers(404, 409)},
)
def change_brief(serving: Served, track: TrackKey, change: BriefChange, response: Response) -> BriefChanged:
    """Set and unset values. 202 with a job where something is made anew, 200 where nothing is."""
    serving.tracks.require(track)
    serving.briefs.check(track, change.set, change.unset)
    wanted = dict(change.set)
    if change.reference_track is not None:
        wanted |= serving.briefs.towards(track, change.reference_track)
    with serving.briefs.unless_refused(track):
        serving.briefs.set(track, wanted, change.unset)
        return _changed(serving, track, response, process=change.process)


@router.get("/tracks/{track}/brief/earlier", responses=answers(404, 409))
def earlier_briefs(serving: Served, track: TrackKey) -> EarlierBriefs:
    """Briefs that results were made with before, the latest first."""
    serving.tracks.require(track)
    return serving.briefs.earlier(track)


@router.post(
    "/tracks/{track}/brief/earlier/{key}",
    responses={202: {"model": BriefChanged, "description": "Being made"}, **answers(404, 409)},
)
def restore_brief(serving: Served, track: TrackKey, key: Key, response: Response) -> BriefChanged:
    """Want again what was wanted then."""
    serving.tracks.require(track)
    with serving.briefs.unless_refused(track):
        serving.briefs.restore(track, key)
        return _changed(serving, track, response, process=True)


def _changed(serving: Served, track: str, response: Response, *, process: bool) -> BriefChanged:
    stages = serving.briefs.behind(track)
    job = serving.jobs.ask(track, anew=True) if process and stages else None
    if job is not None:
        response.status_code = 202
        response.headers["Location"] = job.status_url
    return BriefChanged(brief=serving.briefs.show(track), stages=serving.briefs.told(track, stages), job=job)
