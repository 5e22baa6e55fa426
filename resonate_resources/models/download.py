"""A file from its hub, however often the line is cut: what has come stays, and is gone on with."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO

from resonate_resources.recordings.recording import file_sha256

_TIMEOUT_SECONDS = 30.0
"""Without a byte: a server that says nothing is given up."""
_TRIES = 3
"""In a row that bring nothing, after the line was cut."""
_PAUSE_SECONDS = 2.0
"""Before the first of them; each next waits twice as long."""
_SECONDS_BETWEEN_LINES = 10.0
_LOOK_SECONDS = 0.5
_BLOCK = 1 << 20
_LINKED = "X-Linked-Etag"
"""What Hugging Face's hub says of a large file where it sends on to the place that has it: its SHA-256."""

_log = logging.getLogger(__name__)
"""Told every ten seconds how much has come; dagster.yaml has that taken into the run."""


class DownloadError(Exception):
    """Why a file could not be had, in words that follow its name."""


def download(url: str, path: Path, sha256: str = "", came: Callable[[], None] = lambda: None) -> None:
    """Have the file at `url` in `path`, whole or not at all; nothing to do where somebody else has fetched it.

    What has come of a file lies beside it as `<name>.part`, and the next call goes on with it where the server
    still has the same file (by its ETag, or where sha256 tells) and can send the rest. A line that is cut is taken
    up again by this call. Of those who want the same file at once, in whatever process, one fetches and the others
    wait.

    sha256: the file's, in hex, or its first digits; where none is given, what the hub tells, if it does. came:
    called with every megabyte, and while it waits. Raises DownloadError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path, came) as part:
            if path.is_file():
                part.path.unlink()
                return
            part.complete(url, sha256, came)
            wanted = sha256 or part.sha256
            if wanted and not file_sha256(part.path).startswith(wanted):
                part.remove()
                raise DownloadError("what came is not the published file, or not all of it")
            part.path.replace(path)
            part.about.unlink(missing_ok=True)
    except (OSError, HTTPException, DownloadError) as error:
        _log.warning("fetching %s: given up", path.name)
        raise DownloadError(f"{error}") from error


@contextmanager
def _alone(path: Path, came: Callable[[], None]) -> Iterator[_Part]:
    """The part of the file that is there, once nobody else writes to it."""
    place = path.with_name(f"{path.name}.part")
    while True:
        with place.open("ab", buffering=0) as file:
            while not _locked(file):
                came()
                time.sleep(_LOOK_SECONDS)
            if _is_still(file, place):  # else it was finished, or removed, while we waited
                part = _Part(place, file)
                try:
                    yield part
                finally:
                    if place.is_file() and not place.stat().st_size:
                        part.remove()
                return


class _Part:
    """What has come of a file. about: beside it, what the server said of the whole."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.about = path, path.with_name(f"{path.name}.json")
        self._file = file
        self._told_at = 0.0
        self._known: dict[str, Any] = {}
        if self.about.is_file():
            try:
                self._known = dict(json.loads(self.about.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                self._file.truncate(0)

    @property
    def sha256(self) -> str:
        """As the hub told it; empty where it did not."""
        return str(self._known.get("sha256", ""))

    @property
    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.about.unlink(missing_ok=True)

    def complete(self, url: str, sha256: str, came: Callable[[], None]) -> None:
        """Fetch what is missing. Raises OSError, HTTPException, DownloadError."""
        if not self._known or not (self._known["etag"] or sha256):
            self._file.truncate(0)  # nothing would tell that the rest is of the same file
        tries = 0
        while not (self._size and self._size == self._known.get("bytes")):
            before = self._size
            try:
                self._receive(url, came)
                if self._known["bytes"] in (None, self._size):
                    break
                raise ConnectionError(f"the line was cut after {self._told()}")
            except urllib.error.HTTPError:
                raise
            except (OSError, HTTPException) as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise DownloadError(f"disk full after {self._told()}: {error.strerror}") from error
                tries = _TRIES if self._size > before else tries - 1
                if tries < 0:
                    raise
                _log.warning("%s: %s; going on", self._name, error)
                came()
                time.sleep(_PAUSE_SECONDS * 2 ** (_TRIES - 1 - tries) if tries < _TRIES else 0)
        self._tell(always=True)

    def _receive(self, url: str, came: Callable[[], None]) -> None:
        linked = _Linked()
        with self._response(url, linked) as response:
            if response.status != 206:
                self._file.truncate(0)
                self._known = {
                    "etag": response.headers.get("ETag", ""),
                    "bytes": response.length,
                    "sha256": linked.sha256,
                }
                self.about.write_text(json.dumps(self._known), encoding="utf-8")
            self._has_room()
            self._tell(always=True)
            while block := response.read(_BLOCK):
                self._write(block)
                self._tell()
                came()

    def _response(self, url: str, linked: _Linked) -> Any:
        """With the rest of the file, or where the server can't send that, or has another one by now, all of it."""
        start, whole = self._size, self._known.get("bytes")
        opener = urllib.request.build_opener(linked)
        if start and whole:
            request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
            try:
                response = opener.open(request, timeout=_TIMEOUT_SECONDS)
            except urllib.error.HTTPError as error:
                if error.code != 416:
                    raise
            else:
                told = response.headers.get("Content-Range"), response.headers.get("ETag", "")
                if response.status != 206 or told == (
                    f"bytes {start}-{whole - 1}/{whole}",
                    self._known["etag"],
                ):
                    return response
                response.close()
        return opener.open(url, timeout=_TIMEOUT_SECONDS)

    def _write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _has_room(self) -> None:
        missing = (self._known["bytes"] or 0) - self._size
        free = shutil.disk_usage(self.path.parent).free
        if missing > free:
            raise DownloadError(f"disk full: {_mb(missing)} MB are still to come, and {_mb(free)} are free")

    @property
    def _name(self) -> str:
        return self.path.name.removesuffix(".part")

    def _told(self) -> str:
        whole = self._known.get("bytes")
        return f"{_mb(self._size)} MB" if whole is None else f"{_mb(self._size)} of {_mb(whole)} MB"

    def _tell(self, always: bool = False) -> None:
        if always or time.monotonic() - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._told_at = time.monotonic()
            _log.info("fetching %s: %s", self._name, self._told())


class _Linked(urllib.request.HTTPRedirectHandler):
    sha256 = ""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        tag = headers.get(_LINKED, "").strip('"')
        if len(tag) == 64:
            self.sha256 = tag
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(file: BinaryIO, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f}"
