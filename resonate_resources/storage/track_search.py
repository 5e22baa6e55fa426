"""Finding tracks in the catalogue's tables, as DJs look for them. Storage is not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from resonate_resources.storage.database import transaction
from resonate_resources.storage.tracks import SHOWN, TAGS, failed_checks, folded, tracks

ORDERS: Mapping[str, str] = {
    "added": "added_at",
    "artist": "artist",
    "title": "title",
    "genre": "genre",
    "bpm": "tempo_bpm",
    "key": "camelot",
    "duration": "duration_s",
    "loudness": "loudness_lufs",
    "score": "master_total",
}
"""What tracks may be sorted by → its column."""
COLUMNS = (*SHOWN, "failed_checks")
_ROWS_A_PART = 2000


@dataclass(frozen=True)
class Wanted:
    """What a track must be to be found; None and empty: anything.

    words: each occurs in artist, title or album. bpm: from, to; half_or_double: half and twice that will do.
    camelot: keys such as 8A. genre: occurs in the genre. least_score: of the master, 0…100. failed_check: by name.
    """

    words: tuple[str, ...] = ()
    bpm: tuple[float, float] | None = None
    half_or_double: bool = False
    camelot: Collection[str] = ()
    genre: str | None = None
    least_score: float | None = None
    accepted: bool | None = None
    failed_check: str | None = None


def compatible(camelot: str) -> tuple[str, ...]:
    """Keys that mix with one on the Camelot wheel: itself, its neighbours, and its relative: 8A, 7A, 9A, 8B."""
    number, letter = int(camelot[:-1]), camelot[-1]
    around = [f"{(number + step - 1) % 12 + 1}{letter}" for step in (0, -1, 1)]
    return (*around, f"{number}{'B' if letter == 'A' else 'A'}")


def count(url: str, wanted: Wanted) -> int:
    """How many tracks are found."""
    with transaction(url) as db:
        return db.execute(
            sa.select(sa.func.count()).select_from(tracks).where(*_conditions(wanted))
        ).scalar_one()


def find(
    url: str, wanted: Wanted, sort: str, descending: bool = False, limit: int | None = None, skipped: int = 0
) -> Iterator[dict[str, Any]]:
    """Column of COLUMNS → value, of each track that is found, by a name of ORDERS; unknown values come last.

    Until the last of them was read, nobody else writes to a SQLite database.
    """
    names = sa.select(sa.func.aggregate_strings(failed_checks.c.name, ","))
    names = names.where(failed_checks.c.track == tracks.c.track)
    query = sa.select(*(tracks.c[name] for name in SHOWN), names.scalar_subquery().label("failed_checks"))
    query = query.where(*_conditions(wanted)).limit(limit).offset(skipped)
    for order in _orders(sort):
        query = query.order_by((order.desc() if descending else order.asc()).nulls_last())
    query = query.order_by(tracks.c.track)
    with transaction(url) as db:
        for row in db.execute(query.execution_options(yield_per=_ROWS_A_PART)):
            failed = sorted(filter(None, (row.failed_checks or "").split(",")))
            yield {**row._mapping, "failed_checks": failed}


def checks_failed(url: str, track: str) -> list[str]:
    """Names of the checks that failed of what a track's stages made last."""
    query = sa.select(failed_checks.c.name).where(failed_checks.c.track == track)
    with transaction(url) as db:
        return sorted(db.execute(query).scalars())


def tracks_beginning(url: str, beginning: str) -> list[str]:
    """Keys of tracks that begin so, in their order: the one that is it, if there is."""
    query = sa.select(tracks.c.track).where(tracks.c.track.startswith(beginning, autoescape=True))
    with transaction(url) as db:
        found = list(db.execute(query.order_by(tracks.c.track)).scalars())
    return [beginning] if beginning in found else found


def _orders(sort: str) -> Iterator[sa.ColumnElement[Any]]:
    column = tracks.c[ORDERS[sort]]
    if sort == "key":
        yield sa.func.length(column)  # 9A comes before 10A
    yield sa.func.lower(column) if sort in TAGS else column


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    for word in wanted.words:
        yield tracks.c.name_folded.contains(folded(word), autoescape=True)
    if wanted.genre:
        yield tracks.c.genre_folded.contains(folded(wanted.genre), autoescape=True)
    if wanted.bpm:
        factors = (1.0, 0.5, 2.0) if wanted.half_or_double else (1.0,)
        low, high = wanted.bpm
        yield sa.or_(*(tracks.c.tempo_bpm.between(low * factor, high * factor) for factor in factors))
    if wanted.camelot:
        yield tracks.c.camelot.in_(wanted.camelot)
    if wanted.least_score is not None:
        yield tracks.c.master_total >= wanted.least_score
    if wanted.accepted is not None:
        yield tracks.c.accepted.is_(wanted.accepted)
    if wanted.failed_check:
        failed = sa.select(failed_checks.c.track).where(failed_checks.c.name == wanted.failed_check)
        yield tracks.c.track.in_(failed)
