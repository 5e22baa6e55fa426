"""The conversation with a hosted service over HTTP: what passes is tried again, all else ends in one line.

What a service is called, asked and says belongs to the client of it.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urljoin

import requests

from resonate_resources.recordings.recording import AudioError, DestinationError

_BLOCK_BYTES = 1 << 18

_T = TypeVar("_T")


class ServiceError(AudioError):
    """A service did not do what it was asked. One line, and never the secret."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(service, reason)

    def __str__(self) -> str:
        return ": ".join(self.args)


class RefusedError(ServiceError):
    """The service said no, and will say it again.

    code is its own word for why, or "". certain: no earlier try of this request can have been accepted unseen.
    """

    code = ""
    certain = True


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try. Times in seconds."""

    connect_s: float = 10.0
    """For a connection, and for each piece of an upload to be taken."""
    read_s: float = 60.0
    """For the next piece of an answer."""
    job_s: float = 3600.0
    """For everything together."""
    poll_s: float = 5.0
    """Between two questions about a job."""
    tries: int = 6
    backoff_s: float = 1.0
    """Before the second try; doubled before each further one, and shortened at random by up to a half."""


class PassingError(Exception):
    """A try failed in a way that may pass. after: the seconds that the service asked to wait. begun: it may have
    done what it was asked."""

    def __init__(self, why: str, after: float | None = None, begun: bool = False) -> None:
        super().__init__(why)
        self.after, self.begun = after, begun


class Service:
    """One job's conversation: the time for all of it begins with the client. Every method raises ServiceError."""

    name: ClassVar[str]
    refusals: ClassVar[Mapping[str | int, str]]
    """What to say of a status, or of the service's own code, that will not pass."""
    late: ClassVar[str] = "try again later"
    """What to do where the time is over."""
    garbled_passes: ClassVar[bool]
    """Whether an answer that cannot be understood is asked for again."""
    download_bytes_max: ClassVar[float] = math.inf

    def __init__(self, secret: str, signature: Mapping[str, str], api: str, patience: Patience) -> None:
        """signature: the headers that hold the secret. api: the address that endpoints are below."""
        self._secret, self._signature, self._api = secret, signature, api
        self._patience = patience
        self._until = time.monotonic() + patience.job_s
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def fetch(self, address: str, path: Path, use: Callable[[Path], _T]) -> _T:
        """Download a file to path and give what `use` makes of it.

        It is fetched again where less of it came than was announced, and where `use` raises AudioError.
        """

        def attempt() -> _T:
            self._download(address, path)
            try:
                return use(path)
            except DestinationError:
                raise
            except AudioError as error:
                raise PassingError(f"a download that cannot be used ({error})") from error

        if not address.startswith(("https://", urljoin(self._api, "/"))):
            raise self._error("an answer that cannot be understood (no address of a file in it)")
        return self._tried(attempt)

    def _asked(
        self, method: str, endpoint: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> dict[str, Any]:
        """One try. Raises PassingError, too."""
        try:
            response = self._session.request(
                method,
                self._api + endpoint,
                headers=headers,
                auth=self._signed,  # as a header, a .netrc would put its own in its place
                timeout=(self._patience.connect_s, self._patience.read_s),
                allow_redirects=False,  # requests might take the secret along to another host
                **body,
            )
        except requests.RequestException as error:
            begun = not isinstance(error, requests.ConnectTimeout)
            raise PassingError(_trouble(error), begun=begun) from error
        self._refuse(response, endpoint)
        answer = _json(response)
        if not response.ok or not isinstance(answer, dict):
            why = f"an answer that cannot be understood ({response.status_code} to {endpoint})"
            raise PassingError(why, begun=True) if self.garbled_passes else self._error(why)
        return answer

    def _tried(self, attempt: Callable[[], _T]) -> _T:
        patience = self._patience
        for turn in range(patience.tries):
            self._check_time()
            try:
                return attempt()
            except RefusedError as refused:
                refused.certain = turn == 0
                raise
            except PassingError as again:
                why, after = str(again), again.after
            if after is None:
                after = patience.backoff_s * 2**turn * random.uniform(0.5, 1)
            if time.monotonic() + after > self._until:
                raise self._error(
                    f"{why}; a next try, in {after:.0f} s, would take too long; try again later"
                )
            if turn + 1 < patience.tries:
                time.sleep(after)
        # Out here nothing is chained to it: what requests raises holds the request, and that the secret.
        raise self._error(f"{why}, {patience.tries} times; try again later or choose another engine")

    def _polled(self, ask: Callable[[], _T | None]) -> _T:
        """What `ask` gives once it isn't None."""
        while (answer := ask()) is None:
            self._check_time()
            time.sleep(self._patience.poll_s)
        return answer

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise self._error(f"not ready after {self._patience.job_s:.0f} s; {self.late}")

    def _field(self, answer: Any, name: str, kind: Any) -> Any:
        value = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(value, kind) or value == "":
            raise self._error(f"an answer that cannot be understood (no {name} in it)")
        return value

    def _error(self, reason: str) -> ServiceError:
        return ServiceError(self.name, reason)

    def _line(self, said: object) -> str:
        """What the service said on one short line, without the secret should it repeat it."""
        return " ".join(str(said).replace(self._secret, "…").split())[:200]

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._signature)
        return request

    def _download(self, address: str, path: Path) -> None:
        wait = (self._patience.connect_s, self._patience.read_s)
        try:
            # Not the session: the file is on another host, which must see neither secret nor cookies.
            with requests.get(
                address, headers={"Accept-Encoding": "identity"}, stream=True, timeout=wait
            ) as response:
                self._refuse(response, "a download")
                self._save(response, path)
        except requests.RequestException as error:  # which includes less than Content-Length announced
            raise PassingError(_trouble(error)) from error

    def _save(self, response: requests.Response, path: Path) -> None:
        came = 0
        with path.open("wb") as file:
            for block in response.iter_content(_BLOCK_BYTES):
                self._check_time()
                came += len(block)
                if came > self.download_bytes_max:
                    raise self._error(f"a download of more than {self.download_bytes_max / 1000**3:g} GB")
                try:
                    file.write(block)
                except OSError as error:
                    raise DestinationError(path) from error

    def _refuse(self, response: requests.Response, what: str) -> None:
        """Raise PassingError for what may pass, RefusedError for what will not."""
        status = response.status_code
        if status < 400:
            return
        answer = _json(response)
        told = answer if isinstance(answer, dict) else {}
        code = str(told.get("code") or "")
        if status in (408, 429) or status >= 500 or code == "internal_error":
            after = _retry_after(response.headers.get("Retry-After"))
            raise PassingError(f"answered {what} with {status}", after, begun=status >= 500)
        said = self._line(told.get("detail", ""))
        known = None if what == "a download" else self.refusals.get(code) or self.refusals.get(status)
        refused = RefusedError(self.name, known or f"refused {what} ({status}{said and ': ' + said})")
        refused.code = code
        raise refused


def secret(variable: str) -> str:
    """What authorises us, of the environment; "" where it isn't set."""
    return os.environ.get(variable, "").strip()


def may_be_secret(text: str) -> bool:
    """Whether it can stand in a header."""
    return text.isascii() and text.isprintable() and " " not in text


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _trouble(error: requests.RequestException) -> str:
    """Why there was no answer, in words of ours: the error's own may hold addresses."""
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "could not be reached, or broke the connection off"
    return f"no whole answer ({type(error).__name__})"


def _retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header (seconds or a date, RFC 9110 §10.2.3) asks to wait."""
    if header is None:
        return None
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
