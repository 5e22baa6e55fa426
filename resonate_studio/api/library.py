"""The library as lists need it: all tracks in memory, brought up to date by what has changed.

What stages made is known by the number of the last change in the index, runs by the last of them that moved. While
neither moves, a list is a matter of memory; when one does, only tracks that changed are read again.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from resonate_assets.acceptance import Acceptance, acceptance
from resonate_assets.partitions import tracks as partition
from resonate_resources.parallel import in_parallel
from resonate_resources.storage.catalogue import stale_stages
from resonate_resources.storage.current import (
    Current,
    Versions,
    changed_since,
    current_of,
    last_change,
    rebuild,
    was_walked,
)
from resonate_resources.storage.sources import Source
from resonate_studio.api.opened import Opened
from resonate_studio.api.wording import called
from resonate_studio.library_status import (
    JUDGED,
    WORST_FIRST,
    Facts,
    Runs,
    TrackStatus,
    code_versions,
    runs_of,
    status_of,
    typical_seconds,
)

_AT_ONCE_SECONDS = 0.1
"""A library that is looked at in less is looked at while one waits; a larger one behind its last look."""
_OLDEST_SECONDS = 15.0
"""Partitions come and go without a trace in the index."""
_BESIDE = "regenerated_stems"
"""Generated always, and heard only by whoever chooses it: neither the mix nor the master has any of it."""


@dataclass(frozen=True)
class Row:
    """A track as far as lists show it, without what goes on with it now."""

    track: str
    title: str
    artist: str | None = None
    added_at: str | None = None
    duration_s: float | None = None
    tempo_bpm: float | None = None
    key: str | None = None
    loudness_lufs: float | None = None
    score: float | None = None
    generated: bool = False
    raw_key: str | None = None
    made: tuple[str, ...] = ()
    verdict: Acceptance = field(default_factory=lambda: Acceptance(None))
    behind: bool = False
    found_by: str = ""


class Snapshot(NamedTuple):
    """rows and statuses: by track, of all that are partitions."""

    rows: Mapping[str, Row]
    statuses: Mapping[str, TrackStatus]
    runs: Runs
    states: Mapping[str, int]
    """How many tracks are in each state."""
    number: int
    """Another one whenever anything changed."""


class _Key(NamedTuple):
    change: int
    run: tuple[str, float] | None
    asked: int


class Library:
    """Of one home. From any thread."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._rows: dict[str, Row] = {}
        self._seen = 0
        self._snapshot: Snapshot | None = None
        self._key: _Key | None = None
        self._took, self._looked_at = 0.0, 0.0
        self._asked = 0
        self._looking = threading.Lock()
        self._versions = code_versions()

    def look(self) -> Snapshot:
        """What there is. Of a large library, what there was a moment ago, while it is looked at anew."""
        key = self._key_now()
        old = self._snapshot
        fresh = key == self._key and time.monotonic() - self._looked_at < _OLDEST_SECONDS
        if old is not None and fresh:
            return old
        if old is None or self._took < _AT_ONCE_SECONDS:
            with self._looking:
                if self._snapshot is None or self._key != key or not fresh:
                    self._look(key)
                assert self._snapshot is not None
                return self._snapshot
        if self._looking.acquire(blocking=False):
            threading.Thread(target=self._look_behind, args=(key,), name="library", daemon=True).start()
        return old

    def changed(self) -> None:
        """Something was changed that leaves no trace in the index: a partition was removed, say."""
        self._asked += 1

    def _look_behind(self, key: _Key) -> None:
        try:
            self._look(key)
        finally:
            self._looking.release()

    def _key_now(self) -> _Key:
        url = self._opened.storage.database
        last = self._opened.instance.get_run_records(limit=1, order_by="update_timestamp", ascending=False)
        run = (last[0].dagster_run.run_id, last[0].update_timestamp.timestamp()) if last else None
        return _Key(last_change(url), run, self._asked)

    def _look(self, key: _Key) -> None:
        start = time.monotonic()
        self._read_what_changed()
        instance = self._opened.instance
        known = instance.get_dynamic_partitions(str(partition.name))
        self._enter_unmade(set(known))
        rows = {track: self._rows[track] for track in known}
        runs = runs_of(instance, {track: row.made for track, row in rows.items()})
        facts = Facts(
            made={track: row.made for track, row in rows.items()},
            behind={track for track, row in rows.items() if row.behind},
            verdicts={track: row.verdict for track, row in rows.items()},
            follows={},
            runs=runs,
        )
        typical = typical_seconds(instance) if runs.queue else None
        statuses = {track: status_of(track, facts, typical) for track in rows}
        counted = Counter(status.state for status in statuses.values())
        states = {state: counted[state] for state in WORST_FIRST}
        number = self._snapshot.number + 1 if self._snapshot else 1
        self._snapshot, self._key = Snapshot(rows, statuses, runs, states, number), key
        self._looked_at = time.monotonic()
        self._took = self._looked_at - start

    def _read_what_changed(self) -> None:
        url, storage = self._opened.storage.database, self._opened.storage
        if not was_walked(url):
            rebuild(url, storage.store)
        changes = changed_since(url, self._seen)
        if changes.whole:
            self._rows.clear()
        made = current_of(url, changes.tracks)
        for track in changes.tracks:
            self._rows.pop(track, None)
        for track, source in zip(made, in_parallel(storage.sources.find, made), strict=True):
            self._rows[track] = self._row(track, made[track], source)
        self._seen = changes.last

    def _enter_unmade(self, known: Collection[str]) -> None:
        for track in [track for track, row in self._rows.items() if not row.made and track not in known]:
            del self._rows[track]
        unknown = [track for track in known if track not in self._rows]
        find = self._opened.storage.sources.find
        for track, source in zip(unknown, in_parallel(find, unknown), strict=True):
            self._rows[track] = self._row(track, {}, source)

    def _row(self, track: str, made: Mapping[str, Current], source: Source | None) -> Row:
        title, artist = called(source, track)
        profile = made["profile"].measures if "profile" in made else {}
        raw = made["raw_track"].measures if "raw_track" in made else {}
        key = profile.get("key")
        versions = {
            stage: Versions(one.key, one.data_version, one.code_version, one.made_from, one.published_at)
            for stage, one in made.items()
        }
        return Row(
            track=track,
            title=title,
            artist=artist,
            added_at=source.registered_at if source else None,
            duration_s=number_or_none(raw.get("duration_s")),
            tempo_bpm=number_or_none(profile.get("tempo_bpm")),
            key=None if key is None else str(key),
            loudness_lufs=number_or_none(raw.get("loudness_lufs")),
            score=number_or_none(made["qc_scores"].measures.get("master_total"))
            if "qc_scores" in made
            else None,
            generated=any(
                one.measures.get("generated") is True for stage, one in made.items() if stage != _BESIDE
            ),
            raw_key=made["raw_track"].key if "raw_track" in made else None,
            made=tuple(made),
            verdict=acceptance({stage: made[stage].measures for stage in JUDGED if stage in made}),
            behind=bool(made) and bool(stale_stages(versions, self._versions)),
            found_by=" ".join(part for part in (title, artist, track, key and str(key)) if part).casefold(),
        )


def number_or_none(value: object) -> float | None:
    """A measure as JSON takes it: infinities, which manifests keep as text, are unknown."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
