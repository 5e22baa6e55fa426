"""What of an inbox was dealt with, and which content is which track: rows of the shared database.

A file is looked at again only when its size or stamp changes; then its content decides. A row is written only after
Dagster has the partition, so a process killed in between loses nothing: the file is planned again, and its track
key, made from its content, is the run key that keeps it from running twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import sqlalchemy as sa

from resonate_resources.storage.database import insert_into, tables, transaction, upsert
from resonate_resources.storage.inbox import Seen, fingerprint
from resonate_resources.storage.store import Store

_dealt_with = sa.Table(
    "inbox_ledger",
    tables,
    sa.Column("inbox", sa.String(12), primary_key=True),
    # Not the URI: PostgreSQL indexes no more than 2700 bytes of a key, and a path may have 4096.
    sa.Column("file", sa.String(32), primary_key=True),
    sa.Column("uri", sa.LargeBinary, nullable=False),  # a path need not be UTF-8
    sa.Column("fingerprint", sa.String(128), nullable=False),
)
_inboxes = sa.Table("inboxes", tables, sa.Column("inbox", sa.String(12), primary_key=True))
"""Inboxes whose `ledger/<inbox>.json` of earlier versions was taken over, if there was one."""
_contents = sa.Table(
    "tracks_by_content",
    tables,
    sa.Column("content", sa.String(12), primary_key=True),
    sa.Column("track", sa.String(64), nullable=False),
)

_CHUNK = 500
"""Rows a question: SQLite takes 32,766 values in one at most, and its writers should not wait long."""


class TakenIn:
    """What was dealt with, of one inbox."""

    def __init__(self, url: str, inbox: str) -> None:
        self._url = url
        self._inbox = _inbox_id(inbox)

    def take_over(self, store: Store) -> None:
        """Bring in, once, what an earlier version of Resonate kept in `ledger/<inbox>.json`."""
        with transaction(self._url) as db:
            if db.execute(sa.select(_inboxes).where(_inboxes.c.inbox == self._inbox)).first():
                return
            data = store.read(f"ledger/{self._inbox}.json")
            done: dict[str, str] = {} if data is None else json.loads(data)
            self._write(db, done)
            db.execute(sa.insert(_inboxes).values(inbox=self._inbox))

    def fresh(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        """Those of the files that were not dealt with as they are now. Costs a question a chunk of them."""
        files = iter(seen)
        while chunk := list(islice(files, _CHUNK)):
            ids = {file.uri: _file_id(file.uri) for file in chunk}
            query = sa.select(_dealt_with.c.file, _dealt_with.c.fingerprint).where(
                _dealt_with.c.inbox == self._inbox, _dealt_with.c.file.in_(list(ids.values()))
            )
            with transaction(self._url) as db:
                done = {name: told for name, told in db.execute(query)}  # noqa: C416 — a row is no tuple of str
            yield from (file for file in chunk if done.get(ids[file.uri]) != fingerprint(file))

    def enter(self, done: Mapping[str, str]) -> None:
        """URI → fingerprint of files that were dealt with."""
        if done:
            with transaction(self._url) as db:
                self._write(db, done)

    def sampled(self, every: int) -> list[str]:
        """Each so many-th URI, in rising order of its bytes."""
        numbered = (
            sa.select(
                _dealt_with.c.uri, sa.func.row_number().over(order_by=_dealt_with.c.uri).label("number")
            )
            .where(_dealt_with.c.inbox == self._inbox)
            .subquery()
        )
        query = sa.select(numbered.c.uri).where(numbered.c.number % every == 0).order_by(numbered.c.uri)
        with transaction(self._url) as db:
            return [os.fsdecode(uri) for uri in db.execute(query).scalars()]

    def forget(self) -> None:
        """Look at every file of the inbox anew. Content that is a track already stays that track."""
        with transaction(self._url) as db:
            db.execute(sa.delete(_dealt_with).where(_dealt_with.c.inbox == self._inbox))

    def _write(self, db: sa.Connection, done: Mapping[str, str]) -> None:
        rows = [
            {"inbox": self._inbox, "file": _file_id(uri), "uri": os.fsencode(uri), "fingerprint": told}
            for uri, told in done.items()
        ]
        upsert(db, _dealt_with, rows)


def tracks_of(url: str, contents: Sequence[str]) -> dict[str, str]:
    """Content (the end of a track key) → the track that was entered for it last."""
    found: dict[str, str] = {}
    for start in range(0, len(contents), _CHUNK):
        chunk = list(contents[start : start + _CHUNK])
        query = sa.select(_contents.c.content, _contents.c.track).where(_contents.c.content.in_(chunk))
        with transaction(url) as db:
            found |= {content: track for content, track in db.execute(query)}  # noqa: C416 — as above
    return found


def enter_tracks(url: str, tracks: Mapping[str, str]) -> None:
    """Content → track. That Dagster has it as a partition is not said: ask Dagster."""
    if tracks:
        with transaction(url) as db:
            upsert(db, _contents, [{"content": name, "track": track} for name, track in tracks.items()])


def claim(url: str, content: str, track: str) -> str:
    """Enter the track of a content, unless there is one: gives the one that is. Of all that do so at once, in
    whatever processes, one is the first."""
    with transaction(url) as db:
        insert = insert_into(db, _contents).values(content=content, track=track)
        db.execute(insert.on_conflict_do_nothing(index_elements=[_contents.c.content]))
        entered: str = db.execute(
            sa.select(_contents.c.track).where(_contents.c.content == content)
        ).scalar_one()
        return entered


def forget_tracks(url: str, tracks: Sequence[str]) -> None:
    """Content of tracks that are no more: dropped again, it is a new one. What lies in an inbox stays dealt
    with."""
    with transaction(url) as db:
        db.execute(sa.delete(_contents).where(_contents.c.track.in_(tracks)))


def forget_file(url: str, uri: str) -> None:
    """A file that is in no inbox any more: its name is not kept."""
    with transaction(url) as db:
        db.execute(sa.delete(_dealt_with).where(_dealt_with.c.file == _file_id(uri)))


def knows_tracks(url: str) -> bool:
    """Whether any track was ever entered: a new database must be told of those there are."""
    with transaction(url) as db:
        return db.execute(sa.select(_contents.c.content).limit(1)).first() is not None


def _inbox_id(inbox: str) -> str:
    return hashlib.sha256(os.fsencode(inbox)).hexdigest()[:12]


def _file_id(uri: str) -> str:
    return hashlib.blake2b(os.fsencode(uri), digest_size=16).hexdigest()
