"""How often each stage came to what, by which engine, and what it took: counts that only grow, in the shared
database. Nothing else keeps them: old runs are deleted with their events, and the index has the latest result.

The table has a row for each stage, engine and outcome, so that reading it costs the same however many tracks there
are.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from resonate_resources.storage.current import index
from resonate_resources.storage.database import done, insert_into, json_in, tables
from resonate_resources.storage.manifest import Manifest

Outcome = Literal["made", "found", "refused", "failed"]
"""made: computed; found: taken from the cache; refused: the track's file or brief can't be used, whoever tries;
failed: anything else."""

_counts = sa.Table(
    "stage_counts",
    tables,
    sa.Column("stage", sa.String(64), primary_key=True),
    sa.Column("engine", sa.String(128), primary_key=True),
    sa.Column("outcome", sa.String(8), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("audio_seconds", sa.Double, nullable=False),
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class StageCount:
    """engine: empty for what was refused or failed, of which nobody knows by which. seconds: that computing took;
    audio_seconds: of the tracks that were computed. Both are 0 but for what was made."""

    stage: str
    engine: str
    outcome: str
    count: int
    seconds: float
    audio_seconds: float


def count_result(url: str, manifest: Manifest, *, found: bool) -> None:
    """Count what a stage came to."""
    if found:
        _count(url, manifest.stage, manifest.track, "found", manifest.engine.name)
    else:
        duration = manifest.measures.get("duration_s") if manifest.stage == "raw_track" else None
        _count(
            url,
            manifest.stage,
            manifest.track,
            "made",
            manifest.engine.name,
            manifest.seconds,
            _number(duration),
        )


def count_failure(url: str, stage: str, track: str, *, refused: bool) -> None:
    """Count that a stage came to nothing."""
    _count(url, stage, track, "refused" if refused else "failed", "")


def stage_counts(url: str) -> list[StageCount]:
    """All there are. Raises SQLAlchemyError."""
    return done(url, lambda db: [StageCount(*row) for row in db.execute(sa.select(_counts))])


def _count(
    url: str,
    stage: str,
    track: str,
    outcome: Outcome,
    engine: str,
    seconds: float = 0.0,
    audio_seconds: float | None = None,
) -> None:
    """A count that can't be kept is told, and fails nothing."""

    def add(db: sa.Connection) -> None:
        audio = audio_seconds
        if outcome == "made" and audio is None:
            audio = _duration(db, track)
        row = {"stage": stage, "engine": engine[:128], "outcome": outcome}
        added = {"count": 1, "seconds": seconds, "audio_seconds": audio or 0.0}
        insert = insert_into(db, _counts)
        db.execute(
            insert.values(**row, **added).on_conflict_do_update(
                index_elements=list(row),
                set_={name: _counts.c[name] + insert.excluded[name] for name in added},
            )
        )

    try:
        done(url, add)
    except sa.exc.SQLAlchemyError as error:
        _log.warning("%s: that it was %s could not be counted (%s)", stage, outcome, error)


def _duration(db: sa.Connection, track: str) -> float | None:
    """Seconds of audio, as `raw_track` found them."""
    query = sa.select(index.c.measures).where(
        index.c.track == track, index.c.stage == "raw_track", ~index.c.gone
    )
    return _number(json_in(db.scalar(query) or "", {}).get("duration_s"))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
