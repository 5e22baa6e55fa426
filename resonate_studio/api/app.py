"""The application: its routes, and what every answer of it has in common."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from resonate_studio.api import (
    routes_of_briefs,
    routes_of_files,
    routes_of_home,
    routes_of_jobs,
    routes_of_tracks,
)
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError

PREFIX = "/api/v1"


def create_app(opened: Opened | None = None) -> FastAPI:
    """The application on one home. Without one, for its description alone."""
    app = FastAPI(
        title="Resonate",
        version=version("resonate-studio"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.opened = opened
    app.add_exception_handler(ProblemError, _problem)
    for routes in (routes_of_jobs, routes_of_tracks, routes_of_briefs, routes_of_files, routes_of_home):
        app.include_router(routes.router, prefix=PREFIX)
    if find_spec("resonate_studio.hearing") is not None:
        from resonate_studio.hearing.routes import router as hearing

        app.include_router(hearing, prefix=PREFIX)
    return app


def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return JSONResponse({"detail": error.detail}, error.status, error.headers)
