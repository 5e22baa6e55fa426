"""What is known of a machine, what was decided and why, and what it cost by day: in the database that all hosts
share, so that of several that look at once one starts it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from resonate_resources.machines.deciding import COSTS, Decision, Known, Need, by_day, decide, failed
from resonate_resources.machines.machine import State
from resonate_resources.storage.database import alone, done, insert_into, now, tables, upsert

_machines = sa.Table(
    "gpu_machines",
    tables,
    sa.Column("machine", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("needed_at", sa.Double, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("next_try_at", sa.Double, nullable=False),
    sa.Column("counted_at", sa.Double, nullable=False, comment="up to when its seconds stand in its days"),
    sa.Column("reason", sa.Text, nullable=False),
)
_days = sa.Table(
    "gpu_machine_days",
    tables,
    sa.Column("machine", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True, comment="UTC"),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("cost", sa.Double, nullable=False),
)


@dataclass(frozen=True)
class Day:
    """What a machine cost on a day, by the price of each hour at its time."""

    machine: str
    day: str
    seconds: float
    cost: float


@dataclass(frozen=True)
class Standing:
    """As the last look left it. since: of its state, in seconds since 1970."""

    machine: str
    state: str
    since: float
    reason: str


def settle(
    url: str, machine: str, price: float, seen: State, need: Need, day_cap: float
) -> tuple[Decision, bool]:
    """Decide what to do with a machine that was seen so, and write that down before anybody does it. Also gives
    whether the reason is another one than at the last look."""

    def work(db: sa.Connection) -> tuple[Decision, bool]:
        alone(db, "gpu machines")
        moment = float(db.execute(sa.select(now())).scalar_one())
        row = db.execute(sa.select(_machines).where(_machines.c.machine == machine)).first()
        if row is not None and row.state in COSTS:
            _count(db, machine, by_day(row.counted_at, moment), price)
        decision = decide(_known(row), seen, need, moment, _spent(db, moment), day_cap)
        _write(db, machine, decision.known, counted_at=moment, reason=decision.reason)
        return decision, row is None or row.reason != decision.reason

    return done(url, work)


def note(url: str, machine: str, reason: str, *, start_failed: bool = False) -> bool:
    """Write down what became of a decision, or of a look. Gives whether it is another reason than at the last."""

    def work(db: sa.Connection) -> bool:
        alone(db, "gpu machines")
        row = db.execute(sa.select(_machines).where(_machines.c.machine == machine)).first()
        known = _known(row)
        if row is None or known is None:
            return True
        if start_failed:
            moment = float(db.execute(sa.select(now())).scalar_one())
            last = known.failure
            known = failed(Known(**(asdict(known) | {"state": "stopped", "since": moment})), reason, moment)
            _write(db, machine, known, counted_at=row.counted_at, reason=reason)
            return last != reason
        _write(db, machine, known, counted_at=row.counted_at, reason=reason)
        return bool(row.reason != reason)

    return done(url, work)


def spent_today(url: str) -> float:
    """What all machines cost on this day (UTC), as of the last look."""
    return done(url, lambda db: _spent(db, float(db.execute(sa.select(now())).scalar_one())))


def standing(url: str) -> list[Standing]:
    """Of every machine that was ever looked at."""
    query = sa.select(_machines.c.machine, _machines.c.state, _machines.c.since, _machines.c.reason)
    return done(url, lambda db: [Standing(*row) for row in db.execute(query.order_by(_machines.c.machine))])


def days(url: str, limit: int = 31) -> list[Day]:
    """The latest days on which a machine cost something, the latest first."""
    query = sa.select(*_days.c).order_by(_days.c.day.desc(), _days.c.machine).limit(limit)
    return done(url, lambda db: [Day(*row) for row in db.execute(query)])


def _spent(db: sa.Connection, moment: float) -> float:
    today = datetime.fromtimestamp(moment, UTC).date().isoformat()
    return db.scalar(sa.select(sa.func.sum(_days.c.cost)).where(_days.c.day == today)) or 0.0


def _known(row: sa.Row[tuple[object, ...]] | None) -> Known | None:
    if row is None:
        return None
    found = row._mapping
    return Known(**{name: found[name] for name in Known.__dataclass_fields__})


def _write(db: sa.Connection, machine: str, known: Known, counted_at: float, reason: str) -> None:
    upsert(db, _machines, [{"machine": machine, **asdict(known), "counted_at": counted_at, "reason": reason}])


def _count(db: sa.Connection, machine: str, seconds_by_day: dict[str, float], price: float) -> None:
    for day, seconds in seconds_by_day.items():
        insert = insert_into(db, _days).values(
            machine=machine, day=day, seconds=seconds, cost=seconds / 3600 * price
        )
        more = {name: _days.c[name] + insert.excluded[name] for name in ("seconds", "cost")}
        db.execute(insert.on_conflict_do_update(index_elements=[_days.c.machine, _days.c.day], set_=more))
