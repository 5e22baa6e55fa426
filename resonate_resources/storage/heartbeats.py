"""Signs of life in the shared database: who works at what, and who is dead.

Whoever works has a row that its process renews every few seconds. It is the only judge of life: process ids, locks
and clocks of one host mean nothing on another one. A row may be a place of which there are only so many (see
`holding`): places of the dead are free, without anybody having to tidy up.

A process that stands still for long (stopped, or on a machine that slept) is taken for dead by those who did not
sleep with it: its run is reported failed and its places go to others. When it comes back it beats again, finishes
its work, and its results count; for that while there is one more at work than there are places. Nothing is paid
twice, as a job of a paid service is begun once, whoever asks.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from resonate_resources.storage.database import alone, done, now, seconds_since, tables

BEAT_SECONDS = 5.0
DEAD_AFTER_SECONDS = 30.0
"""Six beats missed: a process on a busy machine, or one whose database was away for a moment, has some to spare."""
_SURE_AFTER_SECONDS = 10.0
"""For so long the watcher itself must have seen nothing new, awake: after a sleep of the machine that all processes
slept through, every heartbeat is old until its process has had the time to beat."""
_FORGOTTEN_AFTER_SECONDS = 86_400.0
"""Rows of the dead that nobody asked about go."""
_LOOK_SECONDS = 1.0

REMOVAL = "remove"
"""The kind of who removes a track, by which it is named."""

HOST = socket.gethostname()
_log = logging.getLogger(__name__)

_heartbeats = sa.Table(
    "heartbeats",
    tables,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, index=True),
    sa.Column("track", sa.Text),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("beat_at", sa.Double, nullable=False),
)


@dataclass(frozen=True)
class Heartbeat:
    """kind and name: what is done (`run` and its id, say). age: seconds since its last beat, by the database."""

    id: str
    kind: str
    name: str
    track: str | None
    host: str
    pid: int
    beat_at: float
    age: float


class Watch:
    """Tells the dead from the living, by looking at them again and again from one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, standing still while the machine sleeps."""
        self._clock = clock
        self._seen: dict[str, tuple[float, float]] = {}
        self._lasting: dict[str, float] = {}

    def dead(self, found: Iterable[Heartbeat]) -> list[Heartbeat]:
        """Those over their time, of which this watch has seen the same last beat for long enough."""
        moment = self._clock()
        old = {one.id: one for one in found if one.age > DEAD_AFTER_SECONDS}
        self._seen = {
            id_: self._seen[id_] if self._seen.get(id_, (None,))[0] == one.beat_at else (one.beat_at, moment)
            for id_, one in old.items()
        }
        return [one for id_, one in old.items() if moment - self._seen[id_][1] >= _SURE_AFTER_SECONDS]

    def lasting(self, names: Iterable[str], seconds: float) -> set[str]:
        """Those that were among the names at every call for so long."""
        moment = self._clock()
        self._lasting = {name: self._lasting.get(name, moment) for name in names}
        return {name for name, since in self._lasting.items() if moment - since >= seconds}


@contextmanager
def alive(url: str, kind: str, name: str, track: str | None = None) -> Iterator[str]:
    """Show that this process works at something, for as long as the block lasts. Gives the heartbeat's id.

    Raises SQLAlchemyError at the beginning only: what fails later is tried again at the next beat.
    """
    row = _row(kind, name, track)

    def begin(db: sa.Connection) -> None:
        db.execute(sa.delete(_heartbeats).where(_age() > _FORGOTTEN_AFTER_SECONDS))
        db.execute(sa.insert(_heartbeats).values(**row, beat_at=now()))

    done(url, begin)
    with _beating(url, row):
        yield str(row["id"])


@contextmanager
def holding(
    url: str,
    kind: str,
    name: str,
    places: int,
    *,
    track: str | None = None,
    full: Callable[[list[Heartbeat]], None] = lambda _: None,
) -> Iterator[int]:
    """Hold one of so many places for as long as the block lasts. Waits for one; gives how many are held then.

    full is called with who holds them at each look at which there is none, and may raise to give up.
    """
    row, watch = _row(kind, name, track), Watch()

    def take(db: sa.Connection) -> tuple[int, list[Heartbeat]]:
        alone(db, f"{kind}/{name}")
        held = _read(db, _heartbeats.c.kind == kind, _heartbeats.c.name == name)
        gone = {one.id for one in watch.dead(held)}
        db.execute(sa.delete(_heartbeats).where(_heartbeats.c.id.in_(list(gone))))
        others = [one for one in held if one.id not in gone]
        if len(others) >= places:
            return 0, others
        db.execute(sa.insert(_heartbeats).values(**row, beat_at=now()))
        return len(others) + 1, []

    while True:
        taken, others = done(url, take)
        if taken:
            break
        full(others)
        time.sleep(_LOOK_SECONDS)
    with _beating(url, row):
        yield taken


def heartbeats(url: str, kind: str) -> list[Heartbeat]:
    """All of a kind, those of the dead included."""
    return done(url, lambda db: _read(db, _heartbeats.c.kind == kind))


def all_heartbeats(url: str) -> list[Heartbeat]:
    """Of whatever kind, those of the dead included."""
    return done(url, _read)


def tracks_in_use(url: str, but_by: str = "") -> set[str]:
    """Tracks that a living process works at. but_by: id of a heartbeat that does not count."""
    return {
        one.track
        for one in done(url, lambda db: _read(db, _age() <= DEAD_AFTER_SECONDS))
        if one.track is not None and one.id != but_by
    }


def forget_dead(url: str, track: str) -> None:
    """Signs of life of those who worked at a track and were killed: it is removed, and nobody asks about them."""
    dead = sa.and_(_heartbeats.c.track == track, _age() > DEAD_AFTER_SECONDS)
    done(url, lambda db: db.execute(sa.delete(_heartbeats).where(dead)))


def is_being_removed(url: str, track: str) -> bool:
    """Whether somebody is at it. A removal that was killed in its midst can be begun again after half a minute."""
    return any(one.name == track and one.age < DEAD_AFTER_SECONDS for one in heartbeats(url, REMOVAL))


def claim(url: str, dead: Heartbeat) -> bool:
    """Take over from the dead: of all who saw it die, True for one, who has to see to what it left and then to
    `forget` it. Should that one die as well, the heartbeat grows old again, and another can take over."""

    def take(db: sa.Connection) -> bool:
        same = (_heartbeats.c.id == dead.id) & (_heartbeats.c.beat_at == dead.beat_at)
        return db.execute(sa.update(_heartbeats).where(same).values(beat_at=now())).rowcount == 1

    return done(url, take)


def forget(url: str, heartbeat: Heartbeat) -> None:
    done(url, lambda db: db.execute(sa.delete(_heartbeats).where(_heartbeats.c.id == heartbeat.id)))


def end_all() -> None:
    """End every heartbeat of this process, which ends now: what it held is free at once. Raises SQLAlchemyError."""
    for (pid, _), heart in [*_hearts.items()]:
        if pid == os.getpid():
            heart.end()


def end_of(url: str, processes: set[int]) -> None:
    """End every heartbeat of processes of this host that are known to be gone: what they held is free at once."""
    mine = (_heartbeats.c.host == HOST) & _heartbeats.c.pid.in_(list(processes))
    done(url, lambda db: db.execute(sa.delete(_heartbeats).where(mine)))


def _row(kind: str, name: str, track: str | None) -> dict[str, str | int | None]:
    made = uuid.uuid4().hex
    return {"id": made, "kind": kind, "name": name, "track": track, "host": HOST, "pid": os.getpid()}


def _age() -> sa.ColumnElement[float]:
    return seconds_since(_heartbeats.c.beat_at)


def _read(db: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Heartbeat]:
    query = sa.select(*_heartbeats.c, _age().label("age")).where(*conditions)
    return [Heartbeat(**row) for row in db.execute(query).mappings()]


class _Heart:
    """The thread of this process that beats for all that it does in one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._rows: dict[str, dict[str, str | int | None]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, row: dict[str, str | int | None]) -> None:
        with self._lock:
            self._rows[str(row["id"])] = row
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()

    def remove(self, row: dict[str, str | int | None]) -> None:
        with self._lock:  # not in the middle of a beat, which would bring it back
            if self._rows.pop(str(row["id"]), None) is None:
                return  # all were ended
        try:
            done(
                self._url, lambda db: db.execute(sa.delete(_heartbeats).where(_heartbeats.c.id == row["id"]))
            )
        except sa.exc.SQLAlchemyError as error:
            _log.warning("a heartbeat could not be ended, and is taken for dead soon (%s)", error)

    def end(self) -> None:
        """Remove all at once."""
        with self._lock:
            rows = [*self._rows]
            self._rows.clear()
        if rows:
            done(self._url, lambda db: db.execute(sa.delete(_heartbeats).where(_heartbeats.c.id.in_(rows))))

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                if not self._rows:
                    self._thread = None
                    return
                try:
                    done(self._url, self._renew)
                except sa.exc.SQLAlchemyError as error:
                    _log.warning("a heartbeat was missed (%s)", error)

    def _renew(self, db: sa.Connection) -> None:
        """What others took away, as this process stood still for long, comes back."""
        mine = _heartbeats.c.id.in_(list(self._rows))
        if db.execute(sa.update(_heartbeats).where(mine).values(beat_at=now())).rowcount < len(self._rows):
            there = set(db.scalars(sa.select(_heartbeats.c.id).where(mine)))
            for id_, row in self._rows.items():
                if id_ not in there:
                    db.execute(sa.insert(_heartbeats).values(**row, beat_at=now()))


_hearts: dict[tuple[int, str], _Heart] = {}
"""(process, URL) → its heart: a forked process has none of its parent's threads."""


@contextmanager
def _beating(url: str, row: dict[str, str | int | None]) -> Iterator[None]:
    heart = _hearts.setdefault((os.getpid(), url), _Heart(url))
    heart.add(row)
    try:
        yield
    finally:
        heart.remove(row)
