"""Sources: the users' own files, which are read and never touched.

tracks/<track>.json       where a track's audio came from
rejected/<id>.json        what could not be used, and why
rejected_at/<place>       the track of which a file that was last rejected there is
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TypeVar

from resonate_resources.storage.store import Store


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Source:
    """A track's source file: absolute path or s3:// URI, size in bytes, SHA-256 of the content."""

    track: str
    uri: str
    size: int
    sha256: str
    artist: str | None = None
    title: str | None = None
    registered_at: str = field(default_factory=_now)

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.uri.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class Rejection:
    """A file that could not be used. track is None where it did not even become one.

    reason: one line, `name: what is wrong; what to do`.
    """

    uri: str
    reason: str
    track: str | None = None
    rejected_at: str = field(default_factory=_now)


NOTHING = "nothing"
"""State of a list of rejections that is empty."""

_Record = TypeVar("_Record", Source, Rejection)


class Sources:
    """The registry of sources and rejections in a store.

    Files that lie in the store, as those of an inbox in a home do, are kept by where they lie in it and told by
    where it is now: a home may be copied or moved.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, source: Source) -> None:
        kept = replace(source, uri=self._kept(source.uri))
        self._store.write(f"tracks/{source.track}.json", _json(asdict(kept)))

    def find(self, track: str) -> Source | None:
        return self._told(_read(Source, self._store.read(f"tracks/{track}.json")))

    def move(self, track: str, uri: str) -> None:
        """A registered track's content was found at uri, renamed or copied: that is where it is for certain."""
        source = self.find(track)
        if source is not None:
            self.register(replace(source, uri=uri))

    def all(self) -> Iterator[Source]:
        for entry in self._store.entries("tracks"):
            source = self._told(_read(Source, self._store.read(entry.key)))
            if source is not None:
                yield source

    def reject(self, rejection: Rejection) -> None:
        kept = replace(rejection, uri=self._kept(rejection.uri))
        self._store.write(_rejection_key(rejection.track, rejection.uri), _json(asdict(kept)))
        if rejection.track is not None:
            self._store.write(_place_key(kept.uri), rejection.track.encode())

    def accept(self, track: str | None, uri: str) -> None:
        """Forget an earlier rejection; with a track, whose file was of use, also that of other content there:
        somebody has put the right file there."""
        if self._store.size(_rejection_key(track, uri)) is not None:
            self._store.delete(_rejection_key(track, uri))
        if track is None or (earlier := self._store.read(_place_key(self._kept(uri)))) is None:
            return
        key = _rejection_key(earlier.decode(), uri)
        replaced = self._told(_read(Rejection, self._store.read(key)))
        if replaced is not None and replaced.uri == uri:
            self._store.delete(key)
        self._store.delete(_place_key(self._kept(uri)))

    def forget(self, track: str, uri: str) -> None:
        """A track that is removed, and that its file was rejected. uri: where that was."""
        self._store.delete(f"tracks/{track}.json")
        self.accept(track, "")
        if self._store.read(_place_key(self._kept(uri))) == track.encode():
            self._store.delete(_place_key(self._kept(uri)))

    def is_rejected(self, track: str) -> bool:
        return self._store.size(_rejection_key(track, "")) is not None

    def rejected_state(self) -> str:
        """Another text whenever a rejection came, went or changed; costs one listing."""
        entries = sorted((entry.key, entry.version) for entry in self._store.entries("rejected"))
        return hashlib.sha256(repr(entries).encode()).hexdigest()[:16] if entries else NOTHING

    def rejections(self) -> list[Rejection]:
        """All rejections, latest first."""
        found = (self._store.read(entry.key) for entry in self._store.entries("rejected"))
        rejections = [self._told(_read(Rejection, data)) for data in found]
        known = [rejection for rejection in rejections if rejection is not None]
        return sorted(known, key=lambda rejection: rejection.rejected_at, reverse=True)

    def _kept(self, uri: str) -> str:
        root = self._store.location("").rstrip("/") + "/"
        return uri.removeprefix(root)

    def _told(self, record: _Record | None) -> _Record | None:
        if record is None or record.uri.startswith("/") or "://" in record.uri:
            return record
        return replace(record, uri=self._store.location(record.uri))


def _read(kind: type[_Record], data: bytes | None) -> _Record | None:
    """A record, whatever fields later versions have given it. One that is damaged is none: it is written anew."""
    try:
        values = json.loads(data or b"")
        return kind(**{each.name: values[each.name] for each in fields(kind) if each.name in values})
    except (ValueError, TypeError, KeyError):
        return None


def _rejection_key(track: str | None, uri: str) -> str:
    return f"rejected/{track or f'unread-{_place(uri)}'}.json"


def _place_key(uri: str) -> str:
    return f"rejected_at/{_place(uri)}"


def _place(uri: str) -> str:
    return hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _json(values: dict[str, str | int | None]) -> bytes:
    # ASCII, so that file names that are not valid UTF-8 (surrogate escapes) survive the round trip.
    return json.dumps(values, indent=1).encode()
