"""What machines ask the studio for, at the addresses that they expect: metrics, liveness, readiness."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from resonate_studio.api.opened import OpenedHome
from resonate_studio.watching.health import troubles
from resonate_studio.watching.metrics import exposition

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(home: OpenedHome) -> Response:
    """For Prometheus. Behind the token, where there is one."""
    return Response(exposition(home.settings, home.instance), media_type=CONTENT_TYPE_LATEST)


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    """That this process answers; nothing is looked at, as starting it anew would mend nothing else."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(home: OpenedHome) -> PlainTextResponse:
    """Whether what is asked for here will be done. Without a token, so it tells what is wrong, and no places."""
    found = troubles(home.settings, home.storage.store, home.instance)
    told = "; ".join(trouble.what for trouble in found) or "ok"
    return PlainTextResponse(f"{told}\n", 503 if found else 200)
