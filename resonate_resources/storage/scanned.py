"""Files of users' music libraries, as the last scan found them, and what became of each: rows of the database.

They are the queue: what is to be made of a library stands here, and Dagster is asked for a few of them at a time.
Nothing is ever removed; a file that is not there any more is marked so, and comes back with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import sqlalchemy as sa

from resonate_resources.recipe import Json
from resonate_resources.storage.database import done, json_in, tables
from resonate_resources.storage.inbox import Seen

State = Literal["new", "taken", "done", "failed"]
"""taken: a run of its track was asked for. failed: see `tries`."""
TRIES = 5
"""Runs of one file that fail for another reason than the file, with the same code, before it is left in peace."""

_files = sa.Table(
    "library_files",
    tables,
    sa.Column("library", sa.String(12), primary_key=True),
    # Not the URI: PostgreSQL indexes no more than 2700 bytes of a key, and a path may have 4096.
    sa.Column("file", sa.String(32), primary_key=True),
    sa.Column("uri", sa.LargeBinary, nullable=False),  # a path need not be UTF-8
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.String(128), nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("crates", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("track", sa.String(64)),
    sa.Column("reason", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("code", sa.String(64)),
    sa.Index("library_files_queue", "library", "state", "priority"),
)
_libraries = sa.Table(
    "libraries",
    tables,
    sa.Column("library", sa.String(12), primary_key=True),
    sa.Column("uri", sa.LargeBinary, nullable=False),
    sa.Column("crates_stamp", sa.String(64), nullable=False),
    sa.Column("broken_crates", sa.Text, nullable=False),
)

_CHUNK = 500
"""Rows a transaction: SQLite's writers should not wait long."""


@dataclass(frozen=True)
class ScannedFile:
    """A file of a library. size in bytes; stamp: as `Seen` has it; tags: as `Tags.to_json`; notes: what is odd in
    them, one line each; crates: names of the crates and playlists that it is in.

    reason: of the last failure, one line; tries: how often it failed with this code.
    """

    uri: str
    size: int
    stamp: str
    tags: Mapping[str, Json]
    notes: tuple[str, ...]
    crates: tuple[str, ...]
    priority: int
    state: State = "new"
    track: str | None = None
    reason: str | None = None
    tries: int = 0
    code: str | None = None

    def is_due(self, code: str) -> bool:
        """Whether it is to be made, with code that changes with that of any stage."""
        return self.state != "done" and (self.state != "failed" or self.code != code or self.tries < TRIES)


class Known(NamedTuple):
    """size in bytes; stamp: as `Seen` has it; gone: was not there at the last scan."""

    size: int
    stamp: str
    gone: bool


class ScannedLibrary:
    """Of one library: a folder or a bucket's prefix. url: of the database."""

    def __init__(self, url: str, uri: str) -> None:
        self._url = url
        self.uri = uri
        self._library = hashlib.sha256(os.fsencode(uri)).hexdigest()[:12]

    def known(self) -> dict[str, Known]:
        """URI → what is known, of every file that ever was there."""
        query = sa.select(_files.c.uri, _files.c.size, _files.c.stamp, _files.c.gone).where(self._is_ours())
        return {
            os.fsdecode(row.uri): Known(row.size, row.stamp, row.gone)
            for row in done(self._url, lambda db: db.execute(query).all())
        }

    def enter(self, files: Iterable[ScannedFile]) -> None:
        """Files that are new or have changed, as they come."""
        ahead = iter(files)
        while chunk := list(islice(ahead, _CHUNK)):
            rows = [self._row(file) for file in chunk]
            done(self._url, lambda db, rows=rows: self._replace(db, rows))  # type: ignore[misc]

    def mark_gone(self, uris: Collection[str], gone: bool = True) -> None:
        """Files that are not there any more, or are there again as they were."""
        names = sorted(map(_file_id, uris))
        for start in range(0, len(names), _CHUNK):
            change = sa.update(_files).values(gone=gone)
            change = change.where(self._is_ours(), _files.c.file.in_(names[start : start + _CHUNK]))
            done(self._url, lambda db, change=change: db.execute(change))  # type: ignore[misc]

    def prioritise(self, changed: Iterable[tuple[str, tuple[str, ...], int]]) -> None:
        """(URI, crates, priority) of files whose crates have changed."""
        change = (
            sa.update(_files)
            .where(self._is_ours(), _files.c.file == sa.bindparam("of"))
            .values(crates=sa.bindparam("named"), priority=sa.bindparam("first"))
        )
        ahead = iter(changed)
        while chunk := list(islice(ahead, _CHUNK)):
            rows = [
                {"of": _file_id(uri), "named": json.dumps(crates), "first": priority}
                for uri, crates, priority in chunk
            ]
            done(self._url, lambda db, rows=rows: db.execute(change, rows))  # type: ignore[misc]

    def files(self, states: Sequence[State] = get_args(State)) -> Iterator[ScannedFile]:
        """Those that are there, the most urgent first, of one priority in the order of their names."""
        query = sa.select(_files).where(self._here(), _files.c.state.in_(list(states)))
        rows = done(self._url, lambda db: db.execute(query.order_by(*_ORDER)).all())
        return (_scanned(row) for row in rows)

    def queue(self, code: str, limit: int) -> list[ScannedFile]:
        """What to take in next: new files, and those that failed with other code. code: changes with that of any
        stage."""
        is_due = (_files.c.state == "new") | ((_files.c.state == "failed") & (_files.c.code != code))
        query = sa.select(_files).where(self._here(), is_due).order_by(*_ORDER).limit(limit)
        return [_scanned(row) for row in done(self._url, lambda db: db.execute(query).all())]

    def counts(self) -> dict[State, int]:
        """State → files that are there."""
        query = sa.select(_files.c.state, sa.func.count()).where(self._here()).group_by(_files.c.state)
        found = {state: count for state, count in done(self._url, lambda db: db.execute(query).all())}  # noqa: C416
        return {state: found.get(state, 0) for state in get_args(State)}

    def note(self, uri: str, state: State, track: str) -> None:
        """A file is a track, which was asked for or is made."""
        self._note(uri, {"state": state, "track": track, "reason": None, "tries": 0})

    def note_failure(self, uri: str, reason: str, code: str, *, broken: bool) -> None:
        """broken: the file itself can't be used. One that failed for another reason is due again, TRIES times with
        the same code."""
        again = sa.case((_files.c.code == code, _files.c.tries), else_=0) + 1
        values = {"state": "failed", "track": None, "reason": _text(reason), "code": code}
        self._note(uri, {**values, "tries": TRIES if broken else again})

    def _note(self, uri: str, values: Mapping[str, Any]) -> None:
        change = sa.update(_files).where(self._is_ours(), _files.c.file == _file_id(uri)).values(dict(values))
        done(self._url, lambda db: db.execute(change))

    def crates(self) -> tuple[str, tuple[str, ...]]:
        """As `note_crates` was told; empty where it was not."""
        query = sa.select(_libraries).where(_libraries.c.library == self._library)
        row = done(self._url, lambda db: db.execute(query).first())
        return ("", ()) if row is None else (row.crates_stamp, tuple(json_in(row.broken_crates, [])))

    def note_crates(self, stamp: str, broken: Sequence[str]) -> None:
        """stamp: changes with the crates; broken: what could not be read of them, one line each."""

        def write(db: sa.Connection) -> None:
            db.execute(sa.delete(_libraries).where(_libraries.c.library == self._library))
            row = {"library": self._library, "uri": os.fsencode(self.uri)}
            row |= {"crates_stamp": stamp, "broken_crates": json.dumps(broken)}
            db.execute(sa.insert(_libraries), row)

        done(self._url, write)

    def _is_ours(self) -> sa.ColumnElement[bool]:
        return _files.c.library == self._library

    def _here(self) -> sa.ColumnElement[bool]:
        return self._is_ours() & ~_files.c.gone

    def _row(self, file: ScannedFile) -> dict[str, Any]:
        return {
            "library": self._library,
            "file": _file_id(file.uri),
            "uri": os.fsencode(file.uri),
            "size": file.size,
            "stamp": file.stamp,
            # ASCII, as names of crates may hold what UTF-8 can't.
            "tags": json.dumps(dict(file.tags)),
            "notes": json.dumps(file.notes),
            "crates": json.dumps(file.crates),
            "priority": file.priority,
            "gone": False,
            "state": file.state,
            "track": file.track,
            "reason": _text(file.reason),
            "tries": file.tries,
            "code": file.code,
        }

    def _replace(self, db: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        old = _files.c.file.in_([row["file"] for row in rows])
        db.execute(sa.delete(_files).where(self._is_ours(), old))
        db.execute(sa.insert(_files), list(rows))


def scanned_folders(url: str) -> list[Path]:
    """Folders that ever were scanned as libraries. url: of the database."""
    rows = done(url, lambda db: db.execute(sa.select(_libraries.c.uri)).all())
    return [Path(os.fsdecode(row.uri)) for row in rows if not row.uri.startswith(b"s3://")]


_ORDER = (_files.c.priority.desc(), _files.c.uri)


def _scanned(row: sa.Row[Any]) -> ScannedFile:
    return ScannedFile(
        os.fsdecode(row.uri),
        row.size,
        row.stamp,
        json_in(row.tags, {}),
        tuple(json_in(row.notes, [])),
        tuple(json_in(row.crates, [])),
        row.priority,
        row.state,
        row.track,
        row.reason,
        row.tries,
        row.code,
    )


def is_unchanged(seen: Seen, size: int, stamp: str) -> bool:
    """Whether a file is as it was with this size and stamp, by its size and the time it was written.

    FAT keeps even seconds (Microsoft, "FAT: General Overview of On-Disk Format", 1.03): such a time may stand for
    any within two seconds of it. When the inode last changed, as by links and permissions, does not count.
    """
    if seen.size != size:
        return False
    times = [text.partition(".")[0] for text in (seen.stamp, stamp)]
    if seen.stamp == stamp or not all(time.isdecimal() and len(time) > 9 for time in times):
        return seen.stamp == stamp
    now, then = map(int, times)
    is_of_fat = now % _FAT_NS == 0 or then % _FAT_NS == 0
    return now == then or (is_of_fat and abs(now - then) < _FAT_NS)


_FAT_NS = 2_000_000_000


def _file_id(uri: str) -> str:
    return hashlib.blake2b(os.fsencode(uri), digest_size=16).hexdigest()


def _text(reason: str | None) -> str | None:
    """What a database can hold."""
    return None if reason is None else reason.encode(errors="backslashreplace").decode().replace("\0", "")
