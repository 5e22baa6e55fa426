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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from resonate_resources.models.hosted.service import Patience, Service, ServiceError
from resonate_resources.recordings.recording import Progress

API = "https://www.lalal.ai/api/v1/"
NAME = "LALAL.AI"
KEY_VARIABLE = "LALAL_LICENSE_KEY"
UPLOAD_BYTES_MAX = 10 * 1000**3
_PROGRESS_BYTES = 1 << 20
_PATIENCE = Patience(poll_s=5.0)  # as the service's own client; under 2 s passes its limit

_NO_MINUTES = "no processing minutes are left on this licence; buy some at lalal.ai or choose another engine"
_NO_KEY = (
    f"the licence key in {KEY_VARIABLE} was refused; compare it with the one in your profile at lalal.ai"
)
_TOO_LARGE = "the file is larger than this licence allows; choose another engine"


class TaskFailedError(ServiceError):
    """A task that was begun, and ended without a result."""


@dataclass(frozen=True)
class Source:
    """A file at the service. duration in seconds is what it will charge for."""

    id: str
    duration: float


class LalalClient(Service):
    """Has files parted."""

    name = NAME
    refusals: ClassVar[Mapping[str | int, str]] = {
        401: _NO_KEY,
        402: _NO_MINUTES,
        403: _NO_KEY,
        "exceeded_duration": _NO_MINUTES,
        413: _TOO_LARGE,
        "exceeded_size": _TOO_LARGE,
        "max_duration": "the track is longer than this licence allows; choose another engine",
    }
    late = "run it again within a day: nothing is paid twice"
    garbled_passes = False

    def __init__(self, licence_key: str, api: str = API, patience: Patience | None = None) -> None:
        super().__init__(licence_key, {"X-License-Key": licence_key}, api, patience or _PATIENCE)

    def minutes_left(self) -> float:
        """Minutes that the licence still has."""
        return float(self._field(self._post("limits/minutes_left/", {}), "minutes_left", int | float))

    def upload(self, path: Path, progress: Progress) -> Source:
        """Send a file of at most UPLOAD_BYTES_MAX, read piece by piece, under a name that tells nothing."""
        if path.stat().st_size > UPLOAD_BYTES_MAX:
            raise self._error(
                f"takes at most {UPLOAD_BYTES_MAX / 1000**3:.0f} GB a file, and this track has "
                f"{path.stat().st_size / 1000**3:.1f} GB as FLAC; cut it or choose another engine"
            )

        def send() -> dict[str, Any]:
            with _Upload(path, self._check_time, progress) as body:
                headers = {
                    "Content-Disposition": f"attachment; filename=track{path.suffix}",
                    "Content-Type": "application/octet-stream",
                }
                return self._asked("POST", "upload/", headers, data=body)

        answer = self._tried(send)
        return Source(self._field(answer, "id", str), float(self._field(answer, "duration", int | float)))

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
        return str(self._field(self._post(endpoint, body), "task_id", str))

    def wait(self, task: str, progress: Progress) -> dict[str, str]:
        """Wait for a task: label of a track → address of its file. Raises TaskFailedError."""

        def ask() -> dict[str, str] | None:
            results = self._field(self._post("check/", {"task_ids": [task]}), "result", dict)
            state = self._field(results, task, dict)
            match state.get("status"):
                case "success":
                    tracks = self._field(self._field(state, "result", dict), "tracks", list)
                    return {
                        self._field(track, "label", str): self._field(track, "url", str) for track in tracks
                    }
                case "progress":
                    progress(float(self._field(state, "progress", int | float)) / 100)
                    return None
                case status:
                    error = state.get("error") or f"the task ended as {status}"
                    told = error["detail"] if isinstance(error, dict) else error
                    raise TaskFailedError(self.name, self._line(told))

        return self._polled(ask)

    def delete(self, source_id: str) -> None:
        """Delete a source and what was made of it."""
        self._post("delete/", {"source_id": source_id})

    def _post(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._tried(lambda: self._asked("POST", endpoint, json=body))


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
