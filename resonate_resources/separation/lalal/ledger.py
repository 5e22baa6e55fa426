"""What was asked of LALAL.AI and what it costs: caps over all processes and hosts, jobs that outlive theirs.

Minutes are reserved before anything is sent and count from then on, whatever becomes of the process; they are
given back only where the service is known to have begun nothing. Days are UTC, by the database's clock.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from resonate_resources.models.hosted.caps import Caps
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.database import alone, done, now, tables
from resonate_resources.storage.heartbeats import Heartbeat, holding

_KEPT = timedelta(hours=24)
"""How long the service keeps sources, results, and the answer to what became of a task."""
_KIND = "paid"

_Result = TypeVar("_Result")

_jobs = sa.Table(
    "lalal_jobs",
    tables,
    sa.Column("key", sa.Text, primary_key=True, comment="the idempotency key"),
    sa.Column("work", sa.Text, nullable=False, comment="hash of the track and of what is asked for"),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False, index=True, comment="on which the minutes count"),
    sa.Column("reserved_at", sa.Text, nullable=False),
    sa.Column("minutes", sa.Double, nullable=False),
    sa.Column("sent", sa.Boolean, nullable=False, default=False),
    sa.Column("source", sa.Text),
    sa.Column("task", sa.Text),
    sa.Column("closed", sa.Boolean, nullable=False, default=False),
)


class LalalCaps(Caps):
    """Of minutes that are paid: half a dozen tracks, and twice as many."""

    service = "LALAL.AI"
    variable = "RESONATE_LALAL_MINUTES_PER_"


@dataclass(frozen=True)
class Job:
    """One charge: sent says that the service may have begun it, task that it did."""

    key: str
    minutes: float
    sent: bool = False
    source: str | None = None
    task: str | None = None


class Ledger:
    """The jobs of all processes that share the database at `url`, seen from one run of one of them."""

    def __init__(self, url: str, run: str, caps: Caps, clock: Callable[[], datetime] | None = None) -> None:
        """clock: in place of the database's."""
        self._url = url
        self._run = run
        self._caps = caps
        self._clock = clock

    @contextmanager
    def alone(self, work: str) -> Iterator[None]:
        """Hold this work: two who have one track separated at once would pay twice.

        Raises AudioError where another process is at it. One that was killed looks alive for half a minute, and is
        waited for as long as it does not show that it is.
        """
        first: dict[str, float] = {}

        def full(holders: list[Heartbeat]) -> None:
            if any(first.setdefault(holder.id, holder.beat_at) != holder.beat_at for holder in holders):
                raise AudioError(
                    "LALAL.AI: another process is having this track separated; try again when it is done"
                )

        held = ExitStack()
        with self._kept():
            held.enter_context(holding(self._url, _KIND, work, 1, full=full))
        with held:
            yield

    def reserve(self, work: str, minutes: float) -> Job:
        """Reserve minutes for this work, or take up what an earlier process left of it. Raises CapReachedError."""

        def change(db: sa.Connection, moment: datetime) -> Job:
            left = db.execute(
                sa.select(_jobs)
                .where(_jobs.c.work == work, ~_jobs.c.closed)
                .where(_jobs.c.reserved_at > (moment - _KEPT).isoformat())
                .order_by(_jobs.c.reserved_at.desc())
            ).first()
            if left is not None:
                return Job(left.key, left.minutes, left.sent, left.source, left.task)
            day = _day(moment)
            self._check_caps(db, day, minutes)
            # A second job for the same work on one day is one that somebody wants after the first has ended.
            same = sa.select(sa.func.count()).where(_jobs.c.work == work, _jobs.c.day == day)
            job = Job(_uuid4(f"{work}/{day}/{db.scalar(same)}"), minutes)
            row = {"key": job.key, "work": work, "run": self._run, "day": day, "minutes": minutes}
            db.execute(sa.insert(_jobs).values(**row, reserved_at=moment.isoformat()))
            return job

        return self._done(change)

    def uploaded(self, job: Job, source: str, minutes: float) -> None:
        """Note the id of the job's source, and what it will cost by the length that the service found."""
        self._set(job, source=source, minutes=minutes)

    def sending(self, job: Job) -> None:
        """About to send the request that is charged: count it for the run and the day that it is now.

        Raises CapReachedError: day, run, and minutes may be others than those it was reserved for.
        """

        def change(db: sa.Connection, moment: datetime) -> None:
            minutes = db.execute(sa.select(_jobs.c.minutes).where(_jobs.c.key == job.key)).scalar_one()
            self._check_caps(db, _day(moment), minutes, besides=job.key)
            values = {"run": self._run, "day": _day(moment), "sent": True}
            db.execute(sa.update(_jobs).where(_jobs.c.key == job.key).values(values))

        self._done(change)

    def begun(self, job: Job, task: str) -> None:
        """Note the id of the job's task, with which its result can be fetched for a day."""
        self._set(job, task=task)

    def close(self, job: Job) -> None:
        """The job is over, and was charged."""
        self._set(job, closed=True)

    def release(self, job: Job) -> None:
        """The service began nothing: give the minutes back."""
        self._done(lambda db, _: db.execute(sa.delete(_jobs).where(_jobs.c.key == job.key)))

    def spent_in_run(self) -> float:
        """Minutes of this run, reserved ones included."""
        return self._done(lambda db, _: _sum(db, _jobs.c.run == self._run))

    def spent_today(self) -> float:
        """Minutes of all runs since midnight UTC, reserved ones included."""
        return self._done(lambda db, moment: _sum(db, _jobs.c.day == _day(moment)))

    def _check_caps(self, db: sa.Connection, day: str, minutes: float, besides: str = "") -> None:
        self._caps.check("run", _sum(db, _jobs.c.run == self._run, besides), minutes)
        self._caps.check("day", _sum(db, _jobs.c.day == day, besides), minutes)

    def _set(self, job: Job, **values: str | float | bool) -> None:
        self._done(lambda db, _: db.execute(sa.update(_jobs).where(_jobs.c.key == job.key).values(values)))

    def _done(self, change: Callable[[sa.Connection, datetime], _Result]) -> _Result:
        """Nobody else reads or writes jobs meanwhile, on whatever host."""

        def work(db: sa.Connection) -> _Result:
            alone(db, _jobs.name)
            seconds = db.execute(sa.select(now())).scalar_one()
            return change(db, self._clock() if self._clock else datetime.fromtimestamp(seconds, UTC))

        with self._kept():
            return done(self._url, work)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            place = sa.make_url(self._url).render_as_string(hide_password=True)
            told = " ".join(str(getattr(error, "orig", None) or error).split())
            raise AudioError(
                f"LALAL.AI: what was spent cannot be kept in {place} ({told}); nothing is sent without that"
            ) from error


class Told(NamedTuple):
    """Minutes that were sent since there is a ledger, and those of today (UTC), reserved ones included."""

    sent: float
    today: float


def minutes_told(url: str) -> Told:
    """For whoever looks on, and reserves nothing. Raises SQLAlchemyError."""

    def read(db: sa.Connection) -> Told:
        day = _day(datetime.fromtimestamp(db.execute(sa.select(now())).scalar_one(), UTC))
        return Told(_sum(db, _jobs.c.sent), _sum(db, _jobs.c.day == day))

    return done(url, read)


def take_over(file: Path, url: str) -> None:
    """Read the jobs of a ledger that was a file of its own into the database, once; then it is put aside.

    Raises AudioError: without knowing what was spent, nothing may be.
    """
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, timeout=30)) as old:
            old.row_factory = sqlite3.Row
            rows = [dict(row) for row in old.execute("SELECT * FROM jobs")]

        def work(db: sa.Connection) -> None:
            alone(db, _jobs.name)
            there = set(db.scalars(sa.select(_jobs.c.key)))
            for row in rows:
                if row["key"] not in there:
                    both = {"sent": bool(row["sent"]), "closed": bool(row["closed"])}
                    db.execute(sa.insert(_jobs).values(row | both))

        done(url, work)
        file.rename(file.with_name(f"{file.name}.taken-over"))
    except FileNotFoundError:
        return  # another process was faster
    except (sqlite3.Error, sa.exc.SQLAlchemyError, OSError) as error:
        told = " ".join(str(error).split())
        raise AudioError(
            f"{file}: what was spent at LALAL.AI can't be taken over from it ({told})"
        ) from error


def _sum(db: sa.Connection, condition: sa.ColumnElement[bool], besides: str = "") -> float:
    spent = sa.select(sa.func.coalesce(sa.func.sum(_jobs.c.minutes), 0.0))
    return float(db.execute(spent.where(condition, _jobs.c.key != besides)).scalar_one())


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _uuid4(text: str) -> str:
    """A key in the form of a random UUID that depends on the text alone."""
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
