"""Replicate's HTTP API v1, as far as a model is run by it.

Known from its documentation (replicate.com/docs/reference/http, …/topics/predictions): a prediction is begun by a
POST of version and input, and asked about by its id; it is starting, processing, succeeded, failed, canceled or
aborted, and can be cancelled; 600 may be begun a minute, after which 429 comes; files of results are fetched
without the key and kept for an hour. There is no idempotency key: a request whose answer was lost may have begun a
prediction.

Assumed, as it is not written there: 402 stands for a lack of credit, and Retry-After may come with 429 and 503.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from resonate_resources.models.hosted.service import PassingError, Patience, Service, ServiceError

API = "https://api.replicate.com/v1/"
KEY_VARIABLE = "REPLICATE_API_TOKEN"
_PATIENCE = Patience(job_s=1800.0, poll_s=2.0)  # as long as the service lets a prediction run


class Replicate(Service):
    """Runs predictions."""

    name = "Replicate"
    refusals: ClassVar[Mapping[str | int, str]] = {
        401: f"the token in {KEY_VARIABLE} was refused; compare it with those at replicate.com/account/api-tokens",
        402: "no credit is left; add some at replicate.com/account/billing or choose another engine",
        403: f"the token in {KEY_VARIABLE} may not run this model",
        404: "no longer has this version of the model; choose another engine",
    }
    garbled_passes = True
    download_bytes_max = 2 * 1000**3

    def __init__(self, token: str, api: str = API, patience: Patience | None = None) -> None:
        super().__init__(token, {"Authorization": f"Bearer {token}"}, api, patience or _PATIENCE)

    def begin(
        self, version: str, given: Mapping[str, Any], count: Callable[[], None], uncount: Callable[[], None]
    ) -> str:
        """Begin a prediction; gives its id. count: called before each request that may be charged. uncount: where
        the service is known to have begun nothing."""

        def attempt() -> str:
            count()
            try:
                answer = self._asked("POST", "predictions", json={"version": version, "input": dict(given)})
            except (PassingError, ServiceError) as error:
                if isinstance(error, ServiceError) or not error.begun:
                    uncount()
                raise
            return str(self._field(answer, "id", str))

        return self._tried(attempt)

    def wait(self, prediction: str) -> str:
        """The address of its file."""

        def ask() -> str | None:
            answer = self._tried(lambda: self._asked("GET", f"predictions/{prediction}"))
            match answer.get("status"):
                case "succeeded":
                    made = answer.get("output")
                    first = made[0] if isinstance(made, list) and made else made
                    return str(self._field({"output": first}, "output", str))
                case "starting" | "processing":
                    return None
                case status:
                    raise self._error(f"the music was not made: {self._line(answer.get('error') or status)}")

        return self._polled(ask)

    def cancel(self, prediction: str) -> None:
        """As far as that is possible."""
        try:
            self._asked("POST", f"predictions/{prediction}/cancel")
        except (ServiceError, PassingError):
            return
