"""Which track a file was before its content changed: the same place and name, another content."""

from __future__ import annotations

import os
from collections.abc import Iterable

from resonate_resources.storage.catalogue import read_catalogue
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source

_READ_AT_MOST = 2000
"""Sources of tracks that are not in the catalogue yet: a file each."""


class Versions:
    """Of the tracks of a library, which ones were made of the same file."""

    def __init__(self, storage: StorageResource, tracks: Iterable[str]) -> None:
        """tracks: all there are. Reads the catalogue once, and the sources of those that are not in it yet."""
        self._sources = storage.sources
        frame = read_catalogue(storage.store)
        rows = {} if frame is None else dict(zip(frame["track"], frame["source"], strict=True))
        self._at: dict[str, set[str]] = {}
        late = []
        for track in tracks:
            if rows.get(track):
                self._at.setdefault(rows[track], set()).add(track)
            else:
                late.append(track)
        for track in late[:_READ_AT_MOST]:
            source = self._sources.find(track)
            if source is not None:
                self._at.setdefault(_name(source.uri), set()).add(track)

    def older_than(self, source: Source) -> str | None:
        """The latest track before this one that was made of the file at the same place; None if there is none."""
        others = self._at.get(_name(source.uri), set()) - {source.track}
        found = [known for known in map(self._sources.find, others) if known and known.uri == source.uri]
        older = [known for known in found if _when(known) < _when(source)]
        return max(older, key=_when).track if older else None

    def followers(self) -> dict[str, str]:
        """Track → the older one that it follows, of all of which there are several of one file."""
        several = (track for tracks in self._at.values() if len(tracks) > 1 for track in tracks)
        found = {}
        for track in several:
            source = self._sources.find(track)
            if source is not None and (older := self.older_than(source)) is not None:
                found[track] = older
        return found


def _when(source: Source) -> tuple[str, str]:
    """Of two that were registered in the same second, one is the older all the same."""
    return source.registered_at, source.track


def _name(uri: str) -> str:
    """As the catalogue has it."""
    return os.fsencode(uri).decode(errors="replace")
