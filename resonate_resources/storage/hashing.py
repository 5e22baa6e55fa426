"""SHA-256 of what a stage makes, begun as soon as a file is closed: done by the time the last one is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from resonate_resources.recordings.recording import file_sha256, tell_of_closed
from resonate_resources.storage.store import to_disk

_Identity = tuple[int, int, int]


@contextmanager
def hashing_ahead(directory: Path) -> Iterator[Hashing]:
    """Hash the recordings of a directory, each in a thread of its own while the block makes others."""
    with ThreadPoolExecutor(2) as pool:
        hashing = Hashing(directory, pool)
        try:
            with tell_of_closed(hashing.closed):
                yield hashing
        finally:
            pool.shutdown(cancel_futures=True)


class Hashing:
    """Files that are being hashed. One that was written to or put in the place of another since is noticed."""

    def __init__(self, directory: Path, pool: ThreadPoolExecutor) -> None:
        self._directory = directory
        self._pool = pool
        self._begun: dict[Path, tuple[_Identity, Future[str]]] = {}

    def closed(self, file: Path) -> None:
        """Begin with a file, if it is in the directory."""
        if file.parent == self._directory:
            self.begin([file])

    def begin(self, files: Collection[Path]) -> None:
        """Begin with files that are finished and were not begun. Raises FileNotFoundError."""
        for file in files:
            identity = _identity(file)
            if file not in self._begun or self._begun[file][0] != identity:
                self._begun[file] = identity, self._pool.submit(_hashed, file)

    def digests(self, files: Collection[Path]) -> dict[Path, str]:
        """SHA-256 of each file, in hex. Raises FileNotFoundError."""
        self.begin(files)
        return {file: self._begun[file][1].result() for file in files}


def _identity(file: Path) -> _Identity:
    stat = file.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _hashed(file: Path) -> str:
    """SHA-256 in hex; the bytes are on disk afterwards, so that nobody waits for that later."""
    to_disk(file)
    return file_sha256(file)
