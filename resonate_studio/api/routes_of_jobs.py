"""Routes of jobs: asked for, looked at, stopped, asked for again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile

from resonate_studio.api.models import Job, JobAccepted, Jobs
from resonate_studio.api.opened import OpenedHome
from resonate_studio.api.problems import answers

router = APIRouter(tags=["jobs"])


@router.post("/jobs", status_code=202, responses=answers(409, 415, 501))
def create_job(
    home: OpenedHome,
    response: Response,
    file: Annotated[UploadFile | None, File()] = None,
    prompt: Annotated[str | None, Form(max_length=10_000)] = None,
    reference_track: Annotated[UploadFile | None, File()] = None,
    brief: Annotated[str | None, Form(max_length=100_000)] = None,
) -> JobAccepted:
    """Take in a file and process it."""
    raise NotImplementedError


@router.get("/jobs", responses=answers())
def list_jobs(home: OpenedHome, active: Annotated[bool, Query()] = False) -> Jobs:
    """Jobs, the latest first. active: only those that wait or work."""
    raise NotImplementedError


@router.get("/jobs/{job_id}", responses=answers(404))
def show_job(home: OpenedHome, job_id: UUID) -> Job:
    """How far a job is, and what it gave."""
    raise NotImplementedError


@router.post("/jobs/{job_id}/cancel", responses=answers(404, 409))
def cancel_job(home: OpenedHome, job_id: UUID) -> Job:
    """Stop a job that waits or works."""
    raise NotImplementedError


@router.post("/jobs/{job_id}/retry", status_code=202, responses=answers(404, 409))
def retry_job(home: OpenedHome, job_id: UUID, response: Response) -> JobAccepted:
    """Process the job's track again: what is made already is found."""
    raise NotImplementedError


@router.get("/jobs/{job_id}/events", response_class=Response, responses=answers(404))
def job_events(home: OpenedHome, job_id: UUID, request: Request) -> Response:
    """Server-sent events of one job."""
    raise NotImplementedError


@router.get("/events", response_class=Response, responses=answers())
def events(home: OpenedHome, request: Request) -> Response:
    """Server-sent events of all jobs and of the library."""
    raise NotImplementedError
