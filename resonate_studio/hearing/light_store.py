"""A disk cache of what is made quickly and asked for often: segments of sound, waveforms, tiles.

Files below one folder, each under the hash of what it is made from; the one not read for longest goes first.
Several threads and processes may use the same folder. What a file holds is checked when it is read: half a file, as
a power cut leaves one, is none.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resonate_assets.settings import Settings

_DIGEST_BYTES = 16
_LOOK_EVERY = 20  # looks at the whole folder: whenever this part of the bound was written
_LEFT_AFTER = 0.9  # of the bound, so that the next file does not make it look again
_ABANDONED_SECONDS = 600.0  # a file under way takes seconds
_READ_AGAIN_SECONDS = 60.0  # how exactly it is known when a file was last read
_LOCK = "lock"
_UNDER_WAY = ".part"


class LightStore:
    """bytes_max: how much the folder may hold. Each process may pass it by a twentieth for a moment."""

    def __init__(self, folder: Path, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._written = bytes_max  # looks at once: another process may have left more
        self._counting = threading.Lock()
        self._making: defaultdict[str, list[threading.Lock]] = defaultdict(list)

    @classmethod
    def of_home(cls, settings: Settings) -> LightStore:
        """The folder `light` of a home."""
        return cls(settings.home / "light", settings.light_bytes)

    @property
    def size(self) -> int:
        """Bytes that it holds now."""
        return sum(size for _, size, _ in self._files())

    def read(self, name: str) -> bytes | None:
        """What is kept under a name that `named` gave, or None."""
        path = self._path(name)
        try:
            kept = path.read_bytes()
            if time.time() - path.stat().st_mtime > _READ_AGAIN_SECONDS:
                os.utime(path)
        except OSError:
            return None
        data = kept[_DIGEST_BYTES:]
        if _digest(data) != kept[:_DIGEST_BYTES]:
            path.unlink(missing_ok=True)
            return None
        return data

    def write(self, name: str, data: bytes) -> None:
        """Keep data, in place of what there is. A disk that is full keeps nothing: what is asked for is answered
        all the same."""
        path = self._path(name)
        part: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, made = tempfile.mkstemp(suffix=_UNDER_WAY, dir=path.parent)
            part = Path(made)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_digest(data) + data)
            part.replace(path)
        except OSError:
            if part is not None:
                part.unlink(missing_ok=True)
            return
        with self._counting:
            self._written += len(data)
            full = self._written * _LOOK_EVERY >= self._bytes_max
            if full:
                self._written = 0
        if full:
            self.shrink()

    def read_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What is kept under a name; made and kept where there is nothing, once however many threads ask."""
        kept = self.read(name)
        if kept is not None:
            return kept
        with self._one_at_a_time(name):
            kept = self.read(name)
            if kept is None:
                kept = make()
                self.write(name, kept)
            return kept

    def shrink(self) -> None:
        """Remove what was read longest ago until it holds less than it may, if no other process is at that."""
        with self._only_one() as alone:
            if not alone:
                return
            files = sorted(self._files())
            held = sum(size for _, size, _ in files)
            if held <= self._bytes_max * (1 - 1 / _LOOK_EVERY):
                return
            for _, size, path in files:
                if held <= self._bytes_max * _LEFT_AFTER:
                    break
                with suppress(OSError):
                    path.unlink()
                held -= size

    def forget(self, beginnings: Collection[str]) -> None:
        """Remove everything whose name begins so, each with two characters or more."""
        for beginning in beginnings:
            for path in self._path(beginning).parent.glob(f"{glob.escape(beginning)}*"):
                path.unlink(missing_ok=True)

    def clear(self) -> int:
        """Remove everything. How many bytes that were."""
        removed = 0
        for _, size, path in self._files():
            with suppress(OSError):
                path.unlink()
                removed += size
        return removed

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """(when it was last read or written, size, path) of each; what was left half made goes."""
        for directory, _, names in os.walk(self._folder):
            for each in names:
                path = Path(directory, each)
                with suppress(OSError):
                    stat = path.stat()
                    if each == _LOCK:
                        continue
                    if each.endswith(_UNDER_WAY):
                        if time.time() - stat.st_mtime > _ABANDONED_SECONDS:
                            path.unlink()
                        continue
                    yield stat.st_mtime, stat.st_size, path

    @contextmanager
    def _one_at_a_time(self, name: str) -> Iterator[None]:
        """Of the threads that ask for one name. Two processes may make the same; it is the same then."""
        with self._counting:
            waiting = self._making[name]
            lock = waiting[0] if waiting else threading.Lock()
            waiting.append(lock)
        try:
            with lock:
                yield
        finally:
            with self._counting:
                waiting.pop()
                if not waiting:
                    del self._making[name]

    @contextmanager
    def _only_one(self) -> Iterator[bool]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield False
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)


def named(kind: str, *made_from: str | int | float | None) -> str:
    """The name of what is made from these: content hashes, numbers, how it is made."""
    return hashlib.sha256(json.dumps([kind, *made_from]).encode()).hexdigest()


def beginning_of(sha256: str) -> str:
    """Of the names of all that is made from a file, by its SHA-256: they go with its track."""
    return sha256[:16]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
