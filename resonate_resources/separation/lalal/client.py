"""LALAL.AI's REST API v1, as far as separation needs it.

Known from the service's OpenAPI 3.1 description, v1.1.0 (https://www.lalal.ai/api/v1/openapi.json, as mirrored in
github.com/api-evangelist/lalal-ai): endpoints, bodies, answers, error codes, 10 GB an upload, 30 checks a minute,
minutes charged per stem, sources kept and tasks to be checked for 24 hours, and the idempotency key, which only
keeps a task from being begun twice: once it has begun, the key is refused, and the first answer is not repeated.
Known from the service's own example client (github.com/OmniSaleGmbH/lalalai, api-v1/python): the file is the body
of the upload, tasks are asked about every 5 s, and downloads carry no key.

Assumed, as nothing public says it: 402 and 413 may stand for the codes exceeded_duration and exceeded_size,
Retry-After may come with 429 and 503, and a task that fails is charged.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from resonate_resources.recordings.recording import AudioError, DestinationError, Progress

API = "https://www.lalal.ai/api/v1/"
UPLOAD_BYTES_MAX = 10 * 1000**3
_DOWNLOAD_BLOCK_BYTES = 1 << 18
_PROGRESS_BYTES = 1 << 20

_T = TypeVar("_T")

_NO_MINUTES = "no processing minutes are left on this licence; buy some at lalal.ai or choose another engine"
_NO_KEY = (
    "the licence key in LALAL_LICENSE_KEY was refused; compare it with the one in your profile at lalal.ai"
)
_TOO_LARGE = "the file is larger than this licence allows; choose another engine"
_REFUSALS: Mapping[str | int, str] = {
    401: _NO_KEY,
    402: _NO_MINUTES,
    403: _NO_KEY,
    "exceeded_duration": _NO_MINUTES,
    413: _TOO_LARGE,
    "exceeded_size": _TOO_LARGE,
    "max_duration": "the track is longer than this licence allows; choose another engine",
}


class ServiceError(AudioError):
    """LALAL.AI did not do what it was asked. One line, and never the licence key."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"LALAL.AI: {reason}")


class RefusedError(ServiceError):
    """The service said no, and will say it again.

    code is its own word for why, or "". certain: no earlier try of this request can have been accepted unseen.
    """

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code
        self.certain = True


class TaskFailedError(ServiceError):
    """A task that was begun, and ended without a result."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try. Times in seconds."""

    connect_s: float = 10.0
    """For a connection, and for each piece of an upload to be taken."""
    read_s: float = 60.0
    """For the next piece of an answer."""
    job_s: float = 3600.0
    """For everything together. What is not ready then is fetched by a later run, without being paid again."""
    poll_s: float = 5.0
    """Between two questions about a task: as the service's own client; under 2 s passes its limit."""
    tries: int = 6
    backoff_s: float = 1.0
    """Before the second try; doubled before each further one, and shortened at random by up to a half."""


@dataclass(frozen=True)
class Source:
    """A file at the service. duration in seconds is what it will charge for."""

    id: str
    duration: float


class _PassingError(Exception):
    """A try failed in a way that may pass. after: the seconds that the service asked to wait."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class LalalClient:
    """One job's conversation with the service: the time for all of it begins with the client.

    Every method raises ServiceError.
    """

    def __init__(self, licence_key: str, api: str = API, patience: Patience | None = None) -> None:
        self._key = licence_key
        self._api = api
        self._patience = patience or Patience()
        self._until = time.monotonic() + self._patience.job_s
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def minutes_left(self) -> float:
        """Minutes that the licence still has."""
        return float(_field(self._post("limits/minutes_left/", {}), "minutes_left", int | float))

    def upload(self, path: Path, progress: Progress) -> Source:
        """Send a file of at most UPLOAD_BYTES_MAX, read piece by piece, under a name that tells nothing."""
        if path.stat().st_size > UPLOAD_BYTES_MAX:
            raise ServiceError(
                f"takes at most {UPLOAD_BYTES_MAX / 1000**3:.0f} GB a file, and this track has "
                f"{path.stat().st_size / 1000**3:.1f} GB as FLAC; cut it or choose another engine"
            )

        def send() -> dict[str, Any]:
            with _Upload(path, self._check_time, progress) as body:
                headers = {
                    "Content-Disposition": f"attachment; filename=track{path.suffix}",
                    "Content-Type": "application/octet-stream",
                }
                return self._answer("upload/", headers, data=body)

        answer = self._tried(send)
        return Source(_field(answer, "id", str), float(_field(answer, "duration", int | float)))

    def split(self, source_id: str, stems: Sequence[str], presets: Mapping[str, Any], key: str) -> str:
        """Begin a task, which is charged for each of `stems` (the service's names); gives its id.

        With one stem the result has the tracks `<stem>` and `no_<stem>`; with more, one each and `no_multistem`.
        """
        if len(stems) == 1:
            endpoint = "split/stem_separator/"
            chosen: dict[str, Any] = {"stem": stems[0]}
        else:
            endpoint = "split/multistem/"
            chosen = {"stem_list": list(stems)}
        body = {"source_id": source_id, "presets": {**presets, **chosen}, "idempotency_key": key}
        return str(_field(self._post(endpoint, body), "task_id", str))

    def wait(self, task: str, progress: Progress) -> dict[str, str]:
        """Wait for a task: label of a track → address of its file. Raises TaskFailedError."""
        while True:
            results = _field(self._post("check/", {"task_ids": [task]}), "result", dict)
            state = _field(results, task, dict)
            match state.get("status"):
                case "success":
                    tracks = _field(_field(state, "result", dict), "tracks", list)
                    return {_field(track, "label", str): _field(track, "url", str) for track in tracks}
                case "progress":
                    progress(float(_field(state, "progress", int | float)) / 100)
                case status:
                    error = state.get("error") or f"the task ended as {status}"
                    raise TaskFailedError(self._line(error["detail"] if isinstance(error, dict) else error))
            time.sleep(self._patience.poll_s)
            self._check_time()

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
                raise _PassingError(f"a download that cannot be used ({error})") from error

        return self._tried(attempt)

    def delete(self, source_id: str) -> None:
        """Delete a source and what was made of it."""
        self._post("delete/", {"source_id": source_id})

    def _post(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._tried(lambda: self._answer(endpoint, {}, json=body))

    def _answer(self, endpoint: str, headers: Mapping[str, str], **body: Any) -> dict[str, Any]:
        try:
            response = self._session.post(
                self._api + endpoint,
                headers={**headers, "X-License-Key": self._key},
                timeout=(self._patience.connect_s, self._patience.read_s),
                allow_redirects=False,  # requests would take the key along to another host
                **body,
            )
        except requests.RequestException as error:
            raise _PassingError(_trouble(error)) from error
        self._refuse_errors(response, endpoint)
        answer = _json(response)
        if not response.ok or not isinstance(answer, dict):
            raise ServiceError(f"an answer to {endpoint} that cannot be understood ({response.status_code})")
        return answer

    def _download(self, address: str, path: Path) -> None:
        wait = (self._patience.connect_s, self._patience.read_s)
        try:
            # Not the session: a link is on another host, which must see neither key nor cookies.
            with requests.get(
                address, headers={"Accept-Encoding": "identity"}, stream=True, timeout=wait
            ) as response:
                self._refuse_errors(response, "a download")
                self._save(response, path)
        except requests.RequestException as error:  # which includes less than Content-Length announced
            raise _PassingError(_trouble(error)) from error

    def _save(self, response: requests.Response, path: Path) -> None:
        with path.open("wb") as file:
            for block in response.iter_content(_DOWNLOAD_BLOCK_BYTES):
                self._check_time()
                try:
                    file.write(block)
                except OSError as error:
                    raise DestinationError(path) from error

    def _refuse_errors(self, response: requests.Response, what: str) -> None:
        """Raise _PassingError for what may pass, RefusedError for what will not."""
        status = response.status_code
        if status < 400:
            return
        answer = _json(response)
        code = str(answer.get("code") or "") if isinstance(answer, dict) else ""
        if status in (408, 429) or status >= 500 or code == "internal_error":
            raise _PassingError(
                f"answered {what} with {status}", _retry_after(response.headers.get("Retry-After"))
            )
        said = self._line(answer.get("detail", "")) if isinstance(answer, dict) else ""
        known = None if what == "a download" else _REFUSALS.get(code) or _REFUSALS.get(status)
        raise RefusedError(known or f"refused {what} ({status}{said and ': ' + said})", code)

    def _tried(self, attempt: Callable[[], _T]) -> _T:
        patience = self._patience
        for turn in range(patience.tries):
            self._check_time()
            try:
                return attempt()
            except RefusedError as refused:
                refused.certain = turn == 0
                raise
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
        # Out here nothing is chained to it: what requests raises holds the request, and that the key.
        raise ServiceError(f"{why}, {patience.tries} times; try again later or choose another engine")

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise ServiceError(
                f"not ready after {self._patience.job_s:.0f} s; run it again within a day: "
                "nothing is paid twice"
            )

    def _line(self, said: object) -> str:
        """What the service said on one short line, without the key should it repeat it."""
        return " ".join(str(said).replace(self._key, "…").split())[:200]


class _Upload:
    """A file as the body of a request: shows progress, and stops when the time is over."""

    def __init__(self, path: Path, check_time: Callable[[], None], progress: Progress) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._check_time = check_time
        self._progress = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        self._check_time()
        before = self._file.tell()
        piece = self._file.read(size)
        after = self._file.tell()
        if after // _PROGRESS_BYTES != before // _PROGRESS_BYTES:
            self._progress(after / self._size)
        return piece


def _field(answer: Any, name: str, kind: Any) -> Any:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise ServiceError(f"an answer that cannot be understood (no {name} in it)")
    return value


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
