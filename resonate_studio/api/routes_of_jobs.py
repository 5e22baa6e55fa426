"""Routes of jobs: asked for, looked at, stopped, asked for again, and told of while they change."""

from __future__ import annotations

import time
from typing import Annotated, Any
from uuid import UUID

from anyio import WouldBlock, to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from resonate_resources.watching import tracing
from resonate_studio.api.models import Job, JobAccepted, Jobs
from resonate_studio.api.problems import ProblemError, answers
from resonate_studio.api.serving import Served
from resonate_studio.api.uploads import receiving

router = APIRouter(tags=["jobs"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "Audio of any kind"},
                        "prompt": {
                            "type": "string",
                            "description": "The music in words: it is composed where there is no file; beside "
                            "one, they are kept with its profile",
                        },
                        "composition": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "What is said beside the prompt of a composition: seed, title, asked, "
                            "engine, by_model, plan, as JSON; reference: the key of a track of the library, in "
                            "whose style it is where nothing is said; reference_sounds: true, by the engine "
                            "composer, where that recording's own sounds are to play what they can",
                        },
                        "composition_reference": {
                            "type": "string",
                            "format": "binary",
                            "description": "A recording in whose style something is composed where nothing is "
                            "said, in the place of a track of the library",
                        },
                        "reference_track": {
                            "type": "string",
                            "format": "binary",
                            "description": "A recording towards whose tone, balance and width the file is moved",
                        },
                        "brief": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "What is wanted: section → name → value, as JSON",
                        },
                    },
                }
            }
        },
    }
}
"""Read by hand, so that a file is on disk as it comes."""
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Asked for",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "Of the job"}},
    }
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: job` with a Job, `event: library` with {}; comments while nothing happens",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
LastEventId = Annotated[str | None, Header(max_length=64)]


@router.post("/jobs", status_code=202, responses={**_ACCEPTED, **answers(408, 409, 415)}, openapi_extra=_FORM)
async def create_job(serving: Served, request: Request, response: Response) -> JobAccepted:
    """Take in a file, or words that a track is composed from, and process it. Of one that is known already, what
    was made is found."""
    settings, began = serving.opened.settings, time.time()
    free = int(settings.limits.free_gib * 2**30)
    try:
        serving.uploads.acquire_on_behalf_of_nowait(request)
    except WouldBlock as error:
        told = "as many uploads as may be are under way; try again when one is done"
        raise ProblemError(429, told, {"Retry-After": "5"}) from error
    try:
        async with receiving(request, settings.uploads, serving.upload_bytes, free) as received:
            accepted = await to_thread.run_sync(serving.jobs.create, received)
    finally:
        serving.uploads.release_on_behalf_of(request)
    of_job: tracing.Told = {"resonate.track": accepted.track, "resonate.run": str(accepted.job_id)}
    tracing.tell(accepted.job_id.hex, "upload", began, time.time(), of_job)
    response.headers["Location"] = accepted.status_url
    return accepted


@router.get("/jobs", responses=answers())
def list_jobs(serving: Served, active: Annotated[bool, Query()] = False) -> Jobs:
    """The latest 200, the latest first. active: only those that wait or work."""
    return Jobs(jobs=serving.jobs.all(active))


@router.get("/jobs/{job_id}", responses=answers(404))
def show_job(serving: Served, job_id: UUID) -> Job:
    """How far a job is, and what it gave."""
    return serving.jobs.find(job_id)


@router.post("/jobs/{job_id}/cancel", responses=answers(404, 409))
def cancel_job(serving: Served, job_id: UUID) -> Job:
    """Stop a job that waits or works. What was made stays, and is found by the next one."""
    return serving.jobs.cancel(job_id)


@router.post("/jobs/{job_id}/retry", status_code=202, responses={**_ACCEPTED, **answers(404, 409)})
def retry_job(serving: Served, job_id: UUID, response: Response) -> JobAccepted:
    """Process the job's track again: what is made already is found."""
    accepted = serving.jobs.retry(job_id)
    response.headers["Location"] = accepted.status_url
    return accepted


@router.get("/jobs/{job_id}/events", response_class=StreamingResponse, responses={**_EVENTS, **answers(404)})
async def job_events(serving: Served, job_id: UUID, last_event_id: LastEventId = None) -> StreamingResponse:
    """One job, whenever it changes, until it is over."""
    await to_thread.run_sync(serving.jobs.find, job_id)
    return _streamed(serving, job_id, last_event_id)


@router.get("/events", response_class=StreamingResponse, responses={**_EVENTS, **answers()})
async def events(serving: Served, last_event_id: LastEventId = None) -> StreamingResponse:
    """All jobs and the library, whenever they change."""
    return _streamed(serving, None, last_event_id)


def _streamed(serving: Served, job_id: UUID | None, last_event_id: str | None) -> StreamingResponse:
    return StreamingResponse(
        serving.events.stream(job_id, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
