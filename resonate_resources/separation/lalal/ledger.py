"""What was asked of LALAL.AI and what it costs: caps that hold across processes, jobs that outlive theirs.

Minutes are reserved before anything is sent and count from then on, whatever becomes of the process; they are
given back only where the service is known to have begun nothing. Days are UTC.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from resonate_resources.recordings.recording import AudioError

_KEPT = timedelta(hours=24)
"""How long the service keeps sources, results, and the answer to what became of a task."""
_SAME = 1e-6  # minutes; sums of the same parts differ by rounding

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    key TEXT PRIMARY KEY,          -- the idempotency key
    work TEXT NOT NULL,            -- hash of the track and of what is asked for
    run TEXT NOT NULL,
    day TEXT NOT NULL,             -- on which the minutes count
    reserved_at TEXT NOT NULL,
    minutes REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    source TEXT,
    task TEXT,
    closed INTEGER NOT NULL DEFAULT 0
)"""


class CapReachedError(AudioError):
    """A job that would pass a cap. Nothing was sent."""


@dataclass(frozen=True)
class Caps:
    """Minutes that may be spent at most. The defaults are ours: half a dozen tracks, and twice as many."""

    per_run: float = 60.0
    per_day: float = 120.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """RESONATE_LALAL_MINUTES_PER_RUN and RESONATE_LALAL_MINUTES_PER_DAY. Raises AudioError."""

        def minutes(name: str, default: float) -> float:
            text = environment.get(name, "")
            try:
                value = float(text) if text else default
            except ValueError:
                value = -1.0
            if not 0 <= value < float("inf"):
                raise AudioError(f"{name}: {text!r} is not a number of minutes")
            return value

        return cls(
            minutes("RESONATE_LALAL_MINUTES_PER_RUN", cls.per_run),
            minutes("RESONATE_LALAL_MINUTES_PER_DAY", cls.per_day),
        )


@dataclass(frozen=True)
class Job:
    """One charge: sent says that the service may have begun it, task that it did."""

    key: str
    minutes: float
    sent: bool = False
    source: str | None = None
    task: str | None = None


def _utc() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The jobs of all processes that share the file at `path`, seen from one run of one of them."""

    def __init__(self, path: Path, run: str, caps: Caps, now: Callable[[], datetime] = _utc) -> None:
        self._path = path
        self._run = run
        self._caps = caps
        self._now = now

    @contextmanager
    def alone(self, work: str) -> Iterator[None]:
        """Hold this work: two who have one track separated at once would pay twice. Raises AudioError.

        The kernel lets go of the lock however the process ends.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        path = self._path.with_name(f"{self._path.stem}-{work[:32]}.lock")
        while True:
            with path.open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise AudioError(
                        "LALAL.AI: another process is having this track separated; try again when it is done"
                    ) from error
                if os.fstat(lock.fileno()).st_nlink == 0:
                    continue  # whoever held it has just removed it
                try:
                    yield
                finally:
                    path.unlink()
                return

    def reserve(self, work: str, minutes: float) -> Job:
        """Reserve minutes for this work, or take up what an earlier process left of it. Raises CapReachedError."""
        with self._transaction() as db:
            left = db.execute(
                "SELECT key, minutes, sent, source, task FROM jobs"
                " WHERE work = ? AND NOT closed AND reserved_at > ? ORDER BY reserved_at DESC",
                (work, (self._now() - _KEPT).isoformat()),
            ).fetchone()
            if left is not None:
                key, reserved, sent, source, task = left
                return Job(key, reserved, bool(sent), source, task)
            self._check_caps(db, minutes)
            # A second job for the same work on one day is one that somebody wants after the first has ended.
            (before,) = db.execute(
                "SELECT count(*) FROM jobs WHERE work = ? AND day = ?", (work, self._day())
            ).fetchone()
            job = Job(_uuid4(f"{work}/{self._day()}/{before}"), minutes)
            db.execute(
                "INSERT INTO jobs (key, work, run, day, reserved_at, minutes) VALUES (?, ?, ?, ?, ?, ?)",
                (job.key, work, self._run, self._day(), self._now().isoformat(), minutes),
            )
            return job

    def uploaded(self, job: Job, source: str, minutes: float) -> None:
        """Note the id of the job's source, and what it will cost by the length that the service found."""
        self._change("UPDATE jobs SET source = ?, minutes = ? WHERE key = ?", source, minutes, job.key)

    def sending(self, job: Job) -> None:
        """About to send the request that is charged: count it for the run and the day that it is now.

        Raises CapReachedError: day, run, and minutes may be others than those it was reserved for.
        """
        with self._transaction() as db:
            (minutes,) = db.execute("SELECT minutes FROM jobs WHERE key = ?", (job.key,)).fetchone()
            self._check_caps(db, minutes, besides=job.key)
            db.execute(
                "UPDATE jobs SET run = ?, day = ?, sent = 1 WHERE key = ?", (self._run, self._day(), job.key)
            )

    def begun(self, job: Job, task: str) -> None:
        """Note the id of the job's task, with which its result can be fetched for a day."""
        self._change("UPDATE jobs SET task = ? WHERE key = ?", task, job.key)

    def close(self, job: Job) -> None:
        """The job is over, and was charged."""
        self._change("UPDATE jobs SET closed = 1 WHERE key = ?", job.key)

    def release(self, job: Job) -> None:
        """The service began nothing: give the minutes back."""
        self._change("DELETE FROM jobs WHERE key = ?", job.key)

    def spent_in_run(self) -> float:
        """Minutes of this run, reserved ones included."""
        with self._transaction() as db:
            return _sum(db, "run", self._run)

    def spent_today(self) -> float:
        """Minutes of all runs since midnight UTC, reserved ones included."""
        with self._transaction() as db:
            return _sum(db, "day", self._day())

    def _check_caps(self, db: sqlite3.Connection, minutes: float, besides: str = "") -> None:
        for what, value, cap, variable in (
            ("run", self._run, self._caps.per_run, "RESONATE_LALAL_MINUTES_PER_RUN"),
            ("day", self._day(), self._caps.per_day, "RESONATE_LALAL_MINUTES_PER_DAY"),
        ):
            spent = _sum(db, what, value, besides)
            if spent + minutes > cap + _SAME:
                raise CapReachedError(
                    f"LALAL.AI: {minutes:.1f} minutes more would pass the cap of {cap:g} a {what} "
                    f"({spent:.1f} are spent); raise {variable} or choose another engine"
                )

    def _day(self) -> str:
        return self._now().date().isoformat()

    def _change(self, statement: str, *values: str | float) -> None:
        with self._transaction() as db:
            db.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Nobody else reads or writes meanwhile; what is not committed at the end never happened."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
                db.execute("BEGIN IMMEDIATE")
                db.execute(_TABLE)
                yield db
                db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise AudioError(
                f"LALAL.AI: what was spent cannot be kept in {self._path} ({error}); nothing is sent without that"
            ) from error


def _sum(db: sqlite3.Connection, column: str, value: str, besides: str = "") -> float:
    (minutes,) = db.execute(
        f"SELECT coalesce(sum(minutes), 0) FROM jobs WHERE {column} = ? AND key != ?", (value, besides)
    ).fetchone()
    return float(minutes)


def _uuid4(text: str) -> str:
    """A key in the form of a random UUID that depends on the text alone."""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
