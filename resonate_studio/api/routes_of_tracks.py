"""Routes of tracks: listed, shown, processed again, removed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from resonate_studio.api.models import JobAccepted, Track, TrackKey, TrackList, TrackState
from resonate_studio.api.problems import answers
from resonate_studio.api.serving import Served

router = APIRouter(tags=["tracks"])

Sort = Literal["worst", "added", "title", "artist", "tempo", "key", "score"]


@router.get("/tracks", responses=answers())
def list_tracks(
    serving: Served,
    search: Annotated[str, Query(max_length=200)] = "",
    state: TrackState | None = None,
    sort: Sort = "worst",
    descending: bool = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TrackList:
    """Tracks that match, a page of them."""
    return serving.tracks.page(search, state, sort, descending, offset, limit)


@router.get("/tracks/{track}", responses=answers(404))
def show_track(serving: Served, track: TrackKey) -> Track:
    """Everything that is known of a track."""
    return serving.tracks.show(track)


@router.delete("/tracks/{track}", status_code=204, responses=answers(404, 409))
def remove_track(serving: Served, track: TrackKey, keep_exports: bool = False) -> None:
    """Remove a track and all that was made of it. The user's own file is not touched."""
    serving.tracks.remove(track, keep_exports)


@router.post("/tracks/{track}/process", status_code=202, responses=answers(404, 409))
def process_track(serving: Served, track: TrackKey, response: Response) -> JobAccepted:
    """Take the track through every stage again: what is made already is found."""
    serving.tracks.require(track)
    accepted = serving.jobs.ask(track)
    response.headers["Location"] = accepted.status_url
    return accepted
