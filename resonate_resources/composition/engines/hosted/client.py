"""Replicate's HTTP API v1, as far as a model is run by it.

Known from its documentation (replicate.com/docs/reference/http, …/topics/predictions): a prediction is begun by a
POST of version and input, and asked about by its id; it is starting, processing, succeeded, failed, canceled or
aborted, and can be cancelled; 600 may be begun a minute, after which 429 comes; files of results are fetched
without the key and kept for an hour. There is no idempotency key: a request whose answer was lost may have begun a
prediction.

Assumed, as it is not written there: 402 stands for a lack of credit, and Retry-After may come with 429 and 503.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from resonate_resources.recordings.recording import AudioError, DestinationError

API = "https://api.replicate.com/v1/"
KEY_VARIABLE = "REPLICATE_API_TOKEN"
_BLOCK_BYTES = 1 << 18
_MOST_BYTES = 2 * 1000**3
_REFUSALS = {
    401: f"the token in {KEY_VARIABLE} was refused; compare it with those at replicate.com/account/api-tokens",
    402: "no credit is left; add some at replicate.com/account/billing or choose another engine",
    403: f"the token in {KEY_VARIABLE} may not run this model",
    404: "no longer has this version of the model; choose another engine",
}

_T = TypeVar("_T")


class ServiceError(AudioError):
    """Replicate did not do what it was asked. One line, and never the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Replicate: {reason}")


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try. Times in seconds."""

    connect_s: float = 10.0
    read_s: float = 60.0
    job_s: float = 1800.0
    """For everything together: as long as the service lets a prediction run."""
    poll_s: float = 2.0
    tries: int = 6
    backoff_s: float = 1.0
    """Before the second try; doubled before each further one, and shortened at random by up to a half."""


class _PassingError(Exception):
    """A try failed in a way that may pass. after: the seconds that the service asked to wait. begun: it may have
    done what it was asked."""

    def __init__(self, why: str, after: float | None = None, begun: bool = False) -> None:
        super().__init__(why)
        self.after, self.begun = after, begun


class Replicate:
    """One job's conversation: the time for all of it begins with the client. Every method raises ServiceError."""

    def __init__(self, token: str, api: str = API, patience: Patience | None = None) -> None:
        self._token, self._api = token, api
        self._patience = patience or Patience()
        self._until = time.monotonic() + self._patience.job_s
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def begin(
        self, version: str, given: Mapping[str, Any], count: Callable[[], None], uncount: Callable[[], None]
    ) -> str:
        """Begin a prediction; gives its id. count: called before each request that may be charged. uncount: where
        the service is known to have begun nothing."""

        def attempt() -> str:
            count()
            try:
                answer = self._asked("POST", "predictions", json={"version": version, "input": dict(given)})
            except _PassingError as error:
                if not error.begun:
                    uncount()
                raise
            except ServiceError:
                uncount()
                raise
            return str(_field(answer, "id"))

        return self._tried(attempt)

    def wait(self, prediction: str) -> str:
        """The address of its file."""
        while True:
            answer = self._tried(lambda: self._asked("GET", f"predictions/{prediction}"))
            match answer.get("status"):
                case "succeeded":
                    made = answer.get("output")
                    return str(
                        _field({"output": made[0] if isinstance(made, list) and made else made}, "output")
                    )
                case "starting" | "processing":
                    self._check_time()
                    time.sleep(self._patience.poll_s)
                case status:
                    raise ServiceError(f"the music was not made: {self._line(answer.get('error') or status)}")

    def cancel(self, prediction: str) -> None:
        """As far as that is possible."""
        try:
            self._asked("POST", f"predictions/{prediction}/cancel")
        except (ServiceError, _PassingError):
            return

    def fetch(self, address: str, path: Path) -> Path:
        """Download a file, again where less of it came than was announced."""

        def attempt() -> Path:
            wait = (self._patience.connect_s, self._patience.read_s)
            try:
                # Not the session: the file is on another host, which must not see the token.
                with requests.get(
                    address, headers={"Accept-Encoding": "identity"}, stream=True, timeout=wait
                ) as answer:
                    self._refuse(answer, "a download")
                    self._save(answer, path)
            except requests.RequestException as error:  # which includes less than Content-Length announced
                raise _PassingError(_trouble(error)) from error
            return path

        if not address.startswith(("https://", self._api.partition("/v1/")[0] + "/")):
            raise ServiceError("an answer that cannot be understood (no address of a file in it)")
        return self._tried(attempt)

    def _save(self, answer: requests.Response, path: Path) -> None:
        came = 0
        with path.open("wb") as file:
            for block in answer.iter_content(_BLOCK_BYTES):
                self._check_time()
                came += len(block)
                if came > _MOST_BYTES:
                    raise ServiceError("a download of more than 2 GB: that is no stem")
                try:
                    file.write(block)
                except OSError as error:
                    raise DestinationError(path) from error

    def _asked(self, method: str, endpoint: str, **body: Any) -> dict[str, Any]:
        try:
            response = self._session.request(
                method,
                self._api + endpoint,
                auth=self._signed,  # as a header, a .netrc would put its own in its place
                timeout=(self._patience.connect_s, self._patience.read_s),
                allow_redirects=False,  # requests might take the token along to another host
                **body,
            )
        except requests.RequestException as error:
            raise _PassingError(
                _trouble(error), begun=not isinstance(error, requests.ConnectTimeout)
            ) from error
        self._refuse(response, endpoint.partition("/")[0])
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not response.ok or not isinstance(answer, dict):
            raise _PassingError(f"an answer that cannot be understood ({response.status_code})", begun=True)
        return answer

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _refuse(self, response: requests.Response, what: str) -> None:
        """Raise _PassingError for what may pass, ServiceError for what will not."""
        status = response.status_code
        if status < 400:
            return
        if status in (408, 429) or status >= 500:
            after = response.headers.get("Retry-After", "")
            raise _PassingError(
                f"answered {what} with {status}", float(after) if after.isdecimal() else None, status >= 500
            )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        said = self._line(answer.get("detail", "")) if isinstance(answer, dict) else ""
        known = None if what == "a download" else _REFUSALS.get(status)
        raise ServiceError(known or f"refused {what} ({status}{said and ': ' + said})")

    def _tried(self, attempt: Callable[[], _T]) -> _T:
        patience = self._patience
        for turn in range(patience.tries):
            self._check_time()
            try:
                return attempt()
            except _PassingError as again:
                why, after = str(again), again.after
            if after is None:
                after = patience.backoff_s * 2**turn * random.uniform(0.5, 1)
            if time.monotonic() + after > self._until:
                raise ServiceError(
                    f"{why}; a next try, in {after:.0f} s, would take too long; try again later"
                )
            if turn + 1 < patience.tries:
                time.sleep(after)
        # Out here nothing is chained to it: what requests raises holds the request, and that the token.
        raise ServiceError(f"{why}, {patience.tries} times; try again later or choose another engine")

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise ServiceError(f"not ready after {self._patience.job_s:.0f} s; try again later")

    def _line(self, said: object) -> str:
        """What the service said on one short line, without the token should it repeat it."""
        return " ".join(str(said).replace(self._token, "…").split())[:200]


def _field(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise ServiceError(f"an answer that cannot be understood (no {name} in it)")
    return value


def _trouble(error: requests.RequestException) -> str:
    """Why there was no answer, in words of ours: the error's own may hold addresses."""
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "could not be reached, or broke the connection off"
    return f"no whole answer ({type(error).__name__})"
