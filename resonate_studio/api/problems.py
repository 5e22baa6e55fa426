"""What goes wrong at a request, as an answer: a status of 4xx or 501 and one line for a person."""

from __future__ import annotations

from typing import Any, Final

from resonate_studio.api.models import Problem


class ProblemError(Exception):
    """Answered as `Problem` with its status. detail: one line, which names no path of this machine."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def not_found(what: str) -> ProblemError:
    return ProblemError(404, what)


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route besides its success, for its OpenAPI description."""
    return {status: {"model": Problem, "description": _TOLD[status]} for status in (*statuses, *_ALWAYS)}


_ALWAYS: Final = (400, 401, 403, 413, 422, 429, 503)
"""What any route may answer: the first three of access, the last two where there is too much to do, or no disk."""
_TOLD: Final = {
    400: "The request can't be read",
    401: "A token is needed",
    403: "From another page or for another host",
    404: "There is no such thing",
    408: "Nothing more came",
    409: "Not now: something else is under way",
    413: "Too large",
    415: "Of a kind that is not taken",
    416: "Outside the file",
    422: "Something in it can't be used",
    429: "Too much at once",
    501: "Not to be had yet",
    503: "Storage or a database can't be used now",
}
