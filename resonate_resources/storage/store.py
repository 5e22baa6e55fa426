"""Where bytes are kept: one small interface, on local disk or S3."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol


@dataclass(frozen=True)
class Entry:
    """A stored object: its key, its size in bytes, a version that changes whenever its bytes do, and when it was
    written, in seconds since 1970."""

    key: str
    size: int
    version: str
    written_at: float


class Stat(NamedTuple):
    """Size in bytes, and a text that changes whenever the object is written."""

    size: int
    stamp: str


Holds = Literal["nothing", "file", "other", "blocked"]
"""other: no regular file, or a link. blocked: nothing can be of that name, as what should be a folder above it is
none, or is a link to one elsewhere."""


class Store(Protocol):
    """Keys are relative, `/`-separated. Every write is atomic: a reader sees the old bytes or the new."""

    def read(self, key: str) -> bytes | None:
        """The bytes, or None where there is no such key."""

    def write(self, key: str, data: bytes) -> None:
        """Create or replace."""

    def adopt(self, file: Path, key: str) -> None:
        """Take a finished local file in under the key; the file at its old path is gone afterwards.

        Its bytes are on disk (or acknowledged by the service, by length and checksum) when this returns.
        """

    def fetch(self, key: str, found: Stat | None = None) -> Path:
        """A local file with the bytes of the key, to be read only. found: what `stat` tells of it, where that was
        asked a moment ago. Raises FileNotFoundError."""

    def create(self, key: str, data: bytes) -> bool:
        """Write, unless there is such a key already. Whether it was written: of several who try, one does."""

    def size(self, key: str) -> int | None:
        """Size in bytes, or None where there is no such key."""

    def stat(self, key: str) -> Stat | None:
        """Size and stamp, or None where there is no such key."""

    def entries(self, prefix: str) -> Iterator[Entry]:
        """All objects whose key starts with `prefix/`, in no order that may be relied on."""

    def delete(self, prefix: str) -> None:
        """Remove the object `prefix`, or everything under `prefix/`."""

    def holds(self, base: str, name: str) -> Holds:
        """What there is of that name in a folder that others use as well: links in it are not followed."""

    def unlink(self, key: str) -> None:
        """Remove one file, and the folders that are empty without it. Nothing else ever goes with it."""

    def rename(self, key: str, free: str) -> None:
        """Call what there is, of whatever kind, by a name that is free."""

    def exclusive(self, prefix: str) -> AbstractContextManager[None]:
        """Of the processes that hold the same prefix, one at a time; on S3, all of them."""

    def location(self, key: str) -> str:
        """Absolute path or URI, for people and other programs."""

    def workspace(self) -> Path:
        """The directory under which files are made before `adopt` takes them in."""


@contextmanager
def new_directory(store: Store, label: str) -> Iterator[Path]:
    """An empty directory to make files in. It goes when the block ends, however it ends.

    What a killed process left behind goes when the next one starts. A directory in use is locked: the kernel lets
    go when its process dies, whatever other containers at work on the same volume think of its process id.
    """
    with new_directory_in(store.workspace(), label) as directory:
        yield directory


@contextmanager
def new_directory_in(base: Path, label: str) -> Iterator[Path]:
    """The same, in a folder that holds such directories alone."""
    base.mkdir(parents=True, exist_ok=True)
    with _lock(base):  # nobody clears away what is made and not yet locked
        _clear(base)
        directory = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{label}-", dir=base))
        lock = os.open(directory, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _scratch.add(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _scratch.discard(directory)
        os.close(lock)


def clear_leftovers(store: Store) -> None:
    """What killed processes left behind in a store's workspace goes now."""
    base = store.workspace()
    if base.is_dir():
        with _lock(base):
            _clear(base)


def _clear(base: Path) -> None:
    for leftover in base.iterdir():
        if not _in_use(leftover):
            shutil.rmtree(leftover, ignore_errors=True)


_scratch: set[Path] = set()
"""Directories of `new_directory` that this process is at work in."""


def remove_scratch() -> None:
    """Remove what this process is at work on: it ends now, and the next one need not find gigabytes of it."""
    for directory in [*_scratch]:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _in_use(directory: Path) -> bool:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return True  # gone by itself, or another user's: not ours to remove
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def to_disk(path: Path) -> None:
    """Wait until a file's bytes, or a directory's names, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_TIDIED_UP_AT_MOST = 20


class LocalStore:
    """A directory on local disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        return self.root / key

    def read(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key: str, data: bytes) -> None:
        """One step that survives a power cut: temporary file, fsync, rename.

        The temporary file is in the workspace: beside its target, a killed process would leave half a file among
        the records, where it would be read as one of them.
        """
        with new_directory(self, "write") as directory:
            temporary = directory / "data"
            temporary.write_bytes(data)
            self.adopt(temporary, key)

    def create(self, key: str, data: bytes) -> bool:
        target = self._path(key)
        with new_directory(self, "write") as directory:
            temporary = directory / "data"
            temporary.write_bytes(data)
            to_disk(temporary)
            try:
                # Fails where the name is taken, whoever took it.
                self._into_folder(target.parent, lambda: os.link(temporary, target))
            except FileExistsError:
                return False
            to_disk(target.parent)
            return True

    def adopt(self, file: Path, key: str) -> None:
        target = self._path(key)
        to_disk(file)
        self._into_folder(target.parent, lambda: file.replace(target))
        to_disk(target.parent)

    def _into_folder(self, folder: Path, put: Callable[[], object]) -> None:
        """Put something into a folder, which is made where it is missing: also where it was empty, and somebody has
        tidied up in between. Raises what `put` raises."""
        for last in (False,) * _TIDIED_UP_AT_MOST + (True,):
            try:
                self._make_folder(folder)
                put()
            except FileNotFoundError:
                if last:
                    raise
            else:
                return

    def _make_folder(self, folder: Path) -> None:
        """The folder and those above it, on disk as names in theirs."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        to_disk(folder.parent)

    def fetch(self, key: str, found: Stat | None = None) -> Path:  # noqa: ARG002 — a file here is looked at itself
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        return path

    def size(self, key: str) -> int | None:
        found = self.stat(key)
        return None if found is None else found.size

    def stat(self, key: str) -> Stat | None:
        try:
            found = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stat(found.st_size, str(found.st_mtime_ns))

    def entries(self, prefix: str) -> Iterator[Entry]:
        for directory, _, names in os.walk(self._path(prefix)):
            for name in names:
                path = Path(directory, name)
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue  # gone since the directory was read
                key = path.relative_to(self.root).as_posix()
                yield Entry(key, stat.st_size, str(stat.st_mtime_ns), stat.st_mtime)

    def delete(self, prefix: str) -> None:
        path = self._path(prefix)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # it holds others
                path.parent.rmdir()

    def holds(self, base: str, name: str) -> Holds:
        folder = self._path(base)
        path = folder / name
        above = [folder / place for place in Path(name).parents]
        if any(place.is_symlink() for place in above if place != folder):
            return "blocked"
        if any(os.path.lexists(place) and not place.is_dir() for place in above):
            return "blocked"
        if not os.path.lexists(path):
            return "nothing"
        return "file" if path.is_file() and not path.is_symlink() else "other"

    def unlink(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in Path(key).parents[:-1]:
            try:
                self._path(str(folder)).rmdir()
            except OSError:  # it holds others
                return

    def rename(self, key: str, free: str) -> None:
        self._path(key).rename(self._path(free))
        to_disk(self._path(free).parent)

    @contextmanager
    def exclusive(self, prefix: str) -> Iterator[None]:
        self._make_folder(self._path(prefix))
        with _lock(self._path(prefix)):
            yield

    def location(self, key: str) -> str:
        return str(self._path(key).absolute())

    def workspace(self) -> Path:
        return self.root / ".work"  # same file system, so that `adopt` is a rename
