"""The library as lists need it: all tracks in memory, brought up to date by what has changed.

What stages made is known by the number of the last change in the index, runs by the last of them that moved. While
neither moves, a list is a matter of memory; when one does, only tracks that changed are read and judged again. Of a
large library that is done behind what is answered, from the server's start on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from resonate_assets.acceptance import Acceptance, acceptance
from resonate_assets.partitions import tracks as partition
from resonate_resources.parallel import in_parallel
from resonate_resources.storage.catalogue import stale_stages
from resonate_resources.storage.current import (
    Listed,
    changed_since,
    last_change,
    listed_of,
    rebuild,
    was_walked,
)
from resonate_resources.storage.sources import Source
from resonate_studio.api.composed import WordsRead
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

_LARGE = 1000
"""Tracks from which on a library is looked at behind its last look; a smaller one is while one waits."""
_LOOK_SECONDS = 1.0
"""How old that look may be: what listeners are told of is looked at before they are."""
_OLDEST_SECONDS = 15.0
"""Partitions come and go without a trace in the index."""
_MEASURED = ("raw_track", "profile", *JUDGED)
_READ_AT_ONCE = 500
_SOURCES_AT_ONCE, _SOURCES_A_TASK = 8, 50
_log = logging.getLogger(__name__)
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
    composed: str | None = None
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
        self.words = WordsRead(opened.storage)
        self._rows: dict[str, Row] = {}
        self._seen = 0
        self._snapshot: Snapshot | None = None
        self._key: _Key | None = None
        self._looked_at, self._checked_at = 0.0, 0.0
        self._asked = 0
        self._looking = threading.Lock()
        self._versions = code_versions()

    def begin(self) -> None:
        """Look for the first time, behind what is done meanwhile."""
        self._begin_behind()

    def look(self) -> Snapshot:
        """What there is. Of a large library, what there was a moment ago, while it is looked at anew; what was
        changed through us is in it."""
        there = self._snapshot
        if there is None or len(there.rows) < _LARGE or self._key is None or self._key.asked != self._asked:
            return self.refresh()
        if time.monotonic() - self._checked_at > _LOOK_SECONDS:
            self._begin_behind()
        return there

    def refresh(self) -> Snapshot:
        """What there is now."""
        with self._looking:
            return self._refresh()

    def changed(self) -> None:
        """Something was changed that leaves no trace in the index: a partition was removed, say."""
        self._asked += 1

    def _begin_behind(self) -> None:
        """Unless somebody is at it."""
        if self._looking.acquire(blocking=False):
            threading.Thread(target=self._look_behind, name="library", daemon=True).start()

    def _look_behind(self) -> None:
        try:
            self._refresh()
        except Exception as error:  # whoever asks next is told
            _log.warning("the library could not be looked at (%s)", error)
        finally:
            self._looking.release()

    def _refresh(self) -> Snapshot:
        key, now = self._key_now(), time.monotonic()
        there = self._snapshot
        if there is None or key != self._key or now - self._looked_at > _OLDEST_SECONDS:
            there = self._look()
            self._snapshot, self._key, self._looked_at = there, key, now
        self._checked_at = time.monotonic()
        return there

    def _key_now(self) -> _Key:
        url = self._opened.storage.database
        last = self._opened.instance.get_run_records(limit=1, order_by="update_timestamp", ascending=False)
        run = (last[0].dagster_run.run_id, last[0].update_timestamp.timestamp()) if last else None
        return _Key(last_change(url), run, self._asked)

    def _look(self) -> Snapshot:
        old, instance = self._snapshot, self._opened.instance
        touched = self._read_what_changed()
        known = instance.get_dynamic_partitions(str(partition.name))
        touched |= self._enter_unmade(set(known))
        rows = {track: self._rows[track] for track in known}
        runs = runs_of(instance, {track: row.made for track, row in rows.items()})
        if old is not None:
            touched |= rows.keys() - old.rows.keys() | _with_runs(old.runs)
        touched |= _with_runs(runs)
        touched &= rows.keys()
        before = old.statuses if old is not None else {}
        if old is not None and not touched and len(rows) == len(before):
            return old
        facts = Facts(
            made={track: rows[track].made for track in touched},
            behind={track for track in touched if rows[track].behind},
            verdicts={track: rows[track].verdict for track in touched},
            follows={},
            runs=runs,
        )
        typical = typical_seconds(instance) if runs.queue else None
        statuses = {
            track: status_of(track, facts, typical) if track in touched else before[track] for track in rows
        }
        counted = Counter(status.state for status in statuses.values())
        states = {state: counted[state] for state in WORST_FIRST}
        return Snapshot(rows, statuses, runs, states, old.number + 1 if old else 1)

    def _read_what_changed(self) -> set[str]:
        """Gives the tracks that were read."""
        url, storage = self._opened.storage.database, self._opened.storage
        if not was_walked(url):
            rebuild(url, storage.store)
        changes = changed_since(url, self._seen)
        if changes.whole:
            self._rows.clear()
        for track in changes.tracks:
            self._rows.pop(track, None)
        listed = listed_of(url, changes.tracks, _MEASURED)
        while made := dict(islice(listed, _READ_AT_ONCE)):
            for track, source in self._sources(made):
                self._rows[track] = self._row(track, made[track], source)
        self._seen = changes.last
        return changes.tracks

    def _enter_unmade(self, known: Collection[str]) -> set[str]:
        """Gives the tracks that were entered."""
        for track in [track for track, row in self._rows.items() if not row.made and track not in known]:
            del self._rows[track]
        unknown = {track for track in known if track not in self._rows}
        for track, source in self._sources(unknown):
            self._rows[track] = self._row(track, {}, source)
        return unknown

    def _sources(self, tracks: Collection[str]) -> Iterator[tuple[str, Source | None]]:
        """Some at a time: a thread for each would take longer than to read it."""
        find, names = self._opened.storage.sources.find, list(tracks)
        some = (names[at : at + _SOURCES_A_TASK] for at in range(0, len(names), _SOURCES_A_TASK))
        for found in in_parallel(lambda few: [(one, find(one)) for one in few], some, _SOURCES_AT_ONCE):
            yield from found

    def _row(self, track: str, made: Mapping[str, Listed], source: Source | None) -> Row:
        title, artist = called(source, track)
        profile = made["profile"].measures if "profile" in made else {}
        raw = made["raw_track"].measures if "raw_track" in made else {}
        key = profile.get("key")
        versions = {stage: one.versions for stage, one in made.items()}
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
            generated=any(one.generated for stage, one in made.items() if stage != _BESIDE),
            composed=self.words.label(source),
            raw_key=made["raw_track"].versions.key if "raw_track" in made else None,
            made=tuple(made),
            verdict=acceptance({stage: made[stage].measures for stage in JUDGED if stage in made}),
            behind=bool(made) and bool(stale_stages(versions, self._versions)),
            found_by=" ".join(part for part in (title, artist, key and str(key)) if part).casefold(),
        )


def _with_runs(runs: Runs) -> set[str]:
    """Tracks whose state depends on a run."""
    return {*runs.active, *runs.last, *runs.queue}


def number_or_none(value: object) -> float | None:
    """A measure as JSON takes it: infinities, which manifests keep as text, are unknown."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
