"""How often a track was asked for again, so that what never succeeds is left in peace.

A track that did not come to its last stage is asked for, and again after one, two, four and eight days; sixteen
days later it is given up, until the code that would make it changes. A file that changes is another track.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from resonate_resources.storage.database import done, tables

TRIES = 5
_DAY_SECONDS = 86_400.0
_EARLY_SECONDS = 3600.0
"""A night is an hour shorter when clocks are put forward."""

_attempts = sa.Table(
    "attempts_of_tracks",
    tables,
    sa.Column("track", sa.Text, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("given_up", sa.Boolean, nullable=False),
)


@dataclass(frozen=True)
class Tries:
    """How often a track was asked for again with this code, and when last, in seconds since 1970."""

    tries: int
    last_at: float
    code: str
    given_up: bool = False


def due(lost: Iterable[str], tries: Mapping[str, Tries], moment: float, code: str, limit: int) -> list[str]:
    """Which of the lost tracks to ask for now: those asked for least recently first, at most `limit`.

    moment in seconds since 1970. So no number of hopeless tracks keeps another one from its turn.
    """
    ready = [track for track in lost if _is_due(tries.get(track), moment, code)]
    last = {track: known.last_at for track, known in tries.items()}
    return sorted(ready, key=lambda track: (last.get(track, 0.0), track))[:limit]


def hopeless(lost: Iterable[str], tries: Mapping[str, Tries], moment: float, code: str) -> list[str]:
    """Which of the lost tracks are to be given up now: tried often enough, and the last try had its time."""
    return sorted(
        track
        for track in lost
        if (known := tries.get(track)) is not None
        and known.code == code
        and not known.given_up
        and known.tries >= TRIES
        and moment >= known.last_at + _pause(known.tries)
    )


def _is_due(known: Tries | None, moment: float, code: str) -> bool:
    if known is None or known.code != code or known.last_at == moment:  # the same tick, evaluated once more
        return True
    return known.tries < TRIES and moment >= known.last_at + _pause(known.tries)


def _pause(tries: int) -> float:
    """After so many tries: 1, 2, 4, 8, 16 days."""
    return _DAY_SECONDS * 2.0 ** (tries - 1) - _EARLY_SECONDS


def tries_of_tracks(url: str) -> dict[str, Tries]:
    """Of every track that was asked for and is not made yet."""

    def read(db: sa.Connection) -> dict[str, Tries]:
        rows = db.execute(sa.select(_attempts)).all()
        return {row.track: Tries(row.tries, row.last_at, row.code, row.given_up) for row in rows}

    return done(url, read)


def note_tries(url: str, tries: Mapping[str, Tries], forgotten: Iterable[str] = ()) -> None:
    """Write down what is known of these tracks now, and forget others: those that came to their last stage."""

    def write(db: sa.Connection) -> None:
        gone = [{"gone": track} for track in {*tries, *forgotten}]
        if gone:
            db.execute(sa.delete(_attempts).where(_attempts.c.track == sa.bindparam("gone")), gone)
        rows = [
            {
                "track": track,
                "tries": known.tries,
                "last_at": known.last_at,
                "code": known.code,
                "given_up": known.given_up,
            }
            for track, known in tries.items()
        ]
        if rows:
            db.execute(sa.insert(_attempts), rows)

    done(url, write)
