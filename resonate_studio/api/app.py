"""The application: its routes, and what every answer of it has in common."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated

from dagster import DagsterError
from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from resonate_resources.recordings.recording import AudioError
from resonate_studio.api import (
    routes_of_briefs,
    routes_of_compositions,
    routes_of_files,
    routes_of_home,
    routes_of_jobs,
    routes_of_page,
    routes_of_tracks,
)
from resonate_studio.api.access import COOKIE, Access, Token
from resonate_studio.api.addresses import PREFIX
from resonate_studio.api.models import Login
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError, answers
from resonate_studio.api.serving import Serving
from resonate_studio.api.wording import without_paths
from resonate_studio.hearing import routes as hearing_routes
from resonate_studio.watching import routes as watching_routes

_COOKIE_SECONDS = 30 * 86_400
_HANDLED = (ProblemError, RequestValidationError, HTTPException, AudioError, FileNotFoundError)
_NO_LONGER = 409
"""Of files that are not what they were, or are gone: process the track again."""


def create_app(opened: Opened | None = None, host: str | None = None, token: Token | None = None) -> FastAPI:
    """The application on one home. Without one, for its description alone. host: the address that is listened on,
    None for loopback alone; token: what is asked for at any other. Raises ValueError, in one line, for a setting of
    the environment that can't be meant."""
    serving = Serving.of(opened) if opened else None

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        if serving is not None:
            serving.events.end()

    app = FastAPI(
        title="Resonate",
        version=version("resonate-studio"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        lifespan=living,
    )
    app.state.opened, app.state.serving, app.state.token = opened, serving, token
    for told in _HANDLED:
        app.add_exception_handler(told, _answer)
    for down in (OSError, SQLAlchemyError, sqlite3.Error, DagsterError):
        app.add_exception_handler(down, _unavailable)
    app.add_api_route(
        f"{PREFIX}/login", _login, methods=["POST"], status_code=204, name="login", responses=answers()
    )
    for routes in (
        routes_of_jobs,
        routes_of_compositions,
        routes_of_tracks,
        routes_of_briefs,
        routes_of_files,
        routes_of_home,
    ):
        app.include_router(routes.router, prefix=PREFIX)
    app.include_router(hearing_routes.router, prefix=PREFIX)
    app.include_router(watching_routes.router)
    app.include_router(routes_of_page.router)
    app.add_middleware(Access, host=host, token=token)
    return app


def _login(request: Request, login: Annotated[Login, Body()]) -> Response:
    """Give the token once: the browser keeps it in a cookie that no script can read."""
    token: Token | None = request.app.state.token
    if token is None:
        return Response(status_code=204)
    if not token.fits(login.token):
        raise ProblemError(401, "not the token that was printed; `resonate studio --new-token` makes another")
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE, login.token, max_age=_COOKIE_SECONDS, httponly=True, samesite="strict", path="/"
    )
    return answer


def _answer(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, or with what it asks for, as a `Problem`."""
    if isinstance(error, ProblemError):
        return _told(error.status, error.detail, error.headers)
    if isinstance(error, RequestValidationError):
        return _told(422, _first(error))
    if isinstance(error, HTTPException):
        return _told(error.status_code, str(error.detail), error.headers)
    if isinstance(error, AudioError):
        return _told(_NO_LONGER, without_paths(str(error)))
    return _told(_NO_LONGER, "the file is gone; process the track again")


def _unavailable(_: Request, error: Exception) -> JSONResponse:
    """Storage or a database that can't be used now: nobody's request is wrong."""
    told = "the library can't be read or written to now; what services say tells why"
    if isinstance(error, OSError) and error.strerror:
        told = f"the library can't be used now ({error.strerror.lower()})"
    return _told(503, told, {"Retry-After": "5"})


def _told(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """JSON may say \\ud800 (RFC 8259, 8.2), which no UTF-8 can: what is told of such a text has a ? there."""
    return JSONResponse({"detail": detail.encode(errors="replace").decode()}, status, headers)


def _first(error: RequestValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"the body is no JSON: {first['ctx']['error']}, at character {first['loc'][-1]}"
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    told = str(first["msg"])
    return f"{place}: {told[:1].lower() if told[1:2].islower() else told[:1]}{told[1:]}"
