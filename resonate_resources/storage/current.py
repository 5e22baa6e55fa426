"""What is current, as rows of the shared database: an index over the manifests, which are the truth.

A listing of the store walks every file of every computation; here it is a query. `record` is called after a
manifest is published. Killed in between, the index is behind by that artefact until `rebuild`, which the nightly
schedule runs, has walked the store.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa

from resonate_resources.storage.database import insert_into, json_in, now, tables, transaction
from resonate_resources.storage.manifest import Manifest, UnreadableManifestError
from resonate_resources.storage.store import Store

index = sa.Table(
    "current_artefacts",
    tables,
    sa.Column("track", sa.String(64), primary_key=True),
    sa.Column("stage", sa.String(64), primary_key=True),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("data_version", sa.String(64), nullable=False),
    sa.Column("code_version", sa.String(64), nullable=False),
    sa.Column("made_from", sa.Text, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("published_at", sa.Double, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False, index=True),
    # Of what an earlier version recorded these are empty, until it is compared with the store.
    sa.Column("model", sa.Text),
    sa.Column("licence", sa.Text),
    sa.Column("made_at", sa.Text),
    sa.Column("seconds", sa.Double),
)
"""A row for each stage of a track that has, or once had, an artefact. published_at: when that was told, or that it
is gone."""
changes = sa.Table(
    "current_changes",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("walked", sa.Boolean, nullable=False),
)
"""One row, which counts changes. Who changes something holds it until that is done, so numbers become visible in
their order, and who has seen one has seen all below it. Counting begins at the time, in µs since 1970, when the
database was made, or behind what was deleted (`tracks.forget_gone`): numbers of a database that was lost are lower.
walked: whether `rebuild` ever came to its end."""

_ROWS_A_PAGE = 5000
_PAGE = 500
"""Tracks a transaction: SQLite lets nobody else in meanwhile."""


@dataclass(frozen=True)
class Current:
    """What a manifest says of a stage of a track, as far as listings need it.

    made_from: stage → data version of what it was made from; published_at: seconds since 1970, by the database;
    made_at: ISO 8601 in UTC; seconds: that the computation took.
    """

    track: str
    stage: str
    key: str
    data_version: str
    code_version: str
    made_from: Mapping[str, str]
    measures: Mapping[str, float | int | str | bool]
    engine: str
    published_at: float
    model: str | None
    licence: str | None
    made_at: str | None
    seconds: float | None


class Versions(NamedTuple):
    """Of a `Current`, what tells whether something else is behind it: a million are read at a time."""

    key: str
    data_version: str
    code_version: str
    made_from: Mapping[str, str]
    published_at: float


class Listed(NamedTuple):
    """Of a `Current`, what lists show. generated: whether its measures say so; measures: of stages that are asked
    for, else none."""

    versions: Versions
    generated: bool
    measures: Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Changes:
    """Tracks of which something was recorded or forgotten, and the number of the last change there is.

    whole: these are all tracks there are, because the number asked about is of another database, or none.
    """

    tracks: set[str]
    last: int
    whole: bool


def record(url: str, manifest: Manifest) -> None:
    """Enter an artefact that has become the current one of its stage and track. Twice is as good as once."""
    record_all(url, [manifest])


def record_all(url: str, manifests: Sequence[Manifest]) -> None:
    """`record` for many at once, in one transaction."""
    with transaction(url) as db:
        _enter(db, manifests)


def forget(url: str, stages: Collection[tuple[str, str]], unless_since: float | None = None) -> None:
    """(stage, track) of artefacts that are no longer there. Who asks for changes is told of them. unless_since:
    what was recorded since then stays."""
    with transaction(url) as db:
        for stage, track in stages:
            told = sa.update(index).where(index.c.stage == stage, index.c.track == track, ~index.c.gone)
            if unless_since is not None:
                told = told.where(index.c.published_at < unless_since)
            db.execute(told.values(gone=True, published_at=now(), change=_next_change(db, 1)))


def tracks_with(url: str, stage: str) -> set[str]:
    """Tracks that have a current artefact of a stage."""
    query = sa.select(index.c.track).where(index.c.stage == stage, ~index.c.gone)
    with transaction(url) as db:
        return set(db.execute(query).scalars())


def current_of(url: str, tracks: Collection[str]) -> dict[str, dict[str, Current]]:
    """Track → stage → what is current, of these tracks; one of which nothing is there is left out."""
    found: dict[str, dict[str, Current]] = {}
    for some in _pages(sorted(set(tracks))):
        with transaction(url) as db:
            found |= _by_track(db.execute(_listing().where(index.c.track.in_(some))))
    return found


def listed_of(
    url: str, tracks: Collection[str], measured: Collection[str]
) -> Iterator[tuple[str, dict[str, Listed]]]:
    """(track, stage → what lists show of what is current) of these tracks, of which anything is there: ten thousand
    in a second or two."""
    from pydantic_core import from_json  # several times as fast as json

    generated = index.c.measures.contains('"generated":true', autoescape=True)
    measures = sa.case((index.c.stage.in_(list(measured)), index.c.measures), else_="{}")
    columns = ("track", "stage", "key", "data_version", "code_version", "made_from", "published_at")
    query = sa.select(*(index.c[name] for name in columns), generated, measures).where(~index.c.gone)
    query = query.order_by(index.c.track)
    for some in _pages(sorted(set(tracks))):
        with transaction(url) as db:
            rows = db.execute(query.where(index.c.track.in_(some))).all()
        for track, stages in groupby(rows, key=itemgetter(0)):
            made: dict[str, Listed] = {}
            for _, stage, key, data_version, code_version, made_from, at, whether, told in map(tuple, stages):
                versions = Versions(key, data_version, code_version, json_in(made_from, {}, from_json), at)
                made[stage] = Listed(versions, bool(whether), json_in(told, {}, from_json))
            yield track, made


def measures_of(
    url: str, stages: Collection[str]
) -> Iterator[tuple[str, dict[str, Mapping[str, float | int | str | bool]]]]:
    """(track, stage → measures of what is current) of every track that has one of these stages, page by page."""
    query = (
        sa.select(index.c.track, index.c.stage, index.c.measures)
        .where(~index.c.gone, index.c.stage.in_(list(stages)))
        .order_by(index.c.track)
    )
    after = ""
    while True:
        # The track at which a page ends may go on in the next one, which begins with it.
        with transaction(url) as db:
            rows = db.execute(query.where(index.c.track > after).limit(_ROWS_A_PAGE)).all()
        whole = len(rows) < _ROWS_A_PAGE
        for track, made in groupby(rows, key=lambda row: str(row.track)):
            if whole or track != rows[-1].track:
                after = track
                yield track, {row.stage: json_in(row.measures, {}) for row in made}
        if whole:
            return


def all_versions(url: str, after: str = "") -> Iterator[tuple[str, dict[str, Versions]]]:
    """(track, stage → versions of what is current) of every track after one, in the order of their names.

    Page by page: what changes meanwhile may be seen or not.
    """
    columns = ("track", "stage", "key", "data_version", "code_version", "made_from", "published_at")
    ordered = sa.select(*(index.c[name] for name in columns)).where(~index.c.gone)
    ordered = ordered.order_by(index.c.track, index.c.stage).limit(_ROWS_A_PAGE)
    track, stage, made = after, "", dict[str, Versions]()
    place = index.c.track > after
    while True:
        with transaction(url) as db:
            rows = db.execute(ordered.where(place)).all()
        for name, stage, key, data_version, code_version, made_from, at in rows:
            if name != track:
                if made:
                    yield track, made
                track, made = name, {}
            made[stage] = Versions(key, data_version, code_version, json_in(made_from, {}), at)
        if len(rows) < _ROWS_A_PAGE:
            break
        place = sa.tuple_(index.c.track, index.c.stage) > sa.tuple_(track, stage)
    if made:
        yield track, made


def changed_since(url: str, change: int) -> Changes:
    """What changed after a change. Begin with 0: all tracks."""
    with transaction(url) as db:
        count = db.execute(sa.select(changes.c.origin, changes.c.last)).first()
        origin, last = (0, 0) if count is None else (count.origin, count.last)
        whole = not origin <= change <= last or change == 0
        # DISTINCT of a few would have SQLite go through all, in the order of the primary key.
        query = sa.select(index.c.track)
        query = query.distinct() if whole else query.where(index.c.change > change)
        return Changes(set(db.execute(query).scalars()), last, whole)


def last_change(url: str) -> int:
    """The number of the last change: while it is the same, so is everything here. 0 where there was none."""
    with transaction(url) as db:
        return db.execute(sa.select(changes.c.last)).scalar() or 0


def stages_made(url: str) -> dict[str, list[str]]:
    """Track → names of its stages that have a current artefact, in no order."""
    names = sa.func.aggregate_strings(index.c.stage, ",")
    query = sa.select(index.c.track, names).where(~index.c.gone).group_by(index.c.track)
    with transaction(url) as db:
        return {track: str(stages).split(",") for track, stages in db.execute(query)}


def was_walked(url: str) -> bool:
    """Whether the index was ever compared with the store: one of a new database was not."""
    with transaction(url) as db:
        return bool(db.execute(sa.select(changes.c.walked)).scalar())


def rebuild(url: str, store: Store) -> int:
    """Make the index what the manifests in the store say, by walking all of it. Returns how many rows were wrong.

    What is published or removed while it walks is left as whoever did so recorded it.
    """
    with transaction(url) as db:
        began = db.execute(sa.select(now())).scalar_one()
    wrong = 0
    seen: set[tuple[str, str]] = set()
    for manifests in _batches(_manifests(store)):
        seen |= {(manifest.stage, manifest.track) for manifest in manifests}
        known = current_of(url, {manifest.track for manifest in manifests})
        stale = [
            manifest for manifest in manifests if not _agrees(known.get(manifest.track, {}), manifest, began)
        ]
        with transaction(url) as db:
            _enter(db, stale, unless_since=began)
        wrong += len(stale)
    gone = [
        (stage, track)
        for track, stages in all_versions(url)
        for stage, current in stages.items()
        if (stage, track) not in seen and current.published_at < began
    ]
    forget(url, gone, unless_since=began)
    with transaction(url) as db:
        _next_change(db, 0)
        db.execute(sa.update(changes).values(walked=True))
    return wrong + len(gone)


def _manifests(store: Store) -> Iterator[Manifest]:
    for entry in store.entries("artefacts"):
        parts = entry.key.split("/")
        if len(parts) == 4 and parts[3] == "manifest.json":
            data = store.read(entry.key)
            if data is None:  # gone since it was listed
                continue
            with suppress(UnreadableManifestError):  # it is none, as elsewhere: its stage is made anew
                yield Manifest.from_json(data)


def _agrees(known: Mapping[str, Current], manifest: Manifest, began: float) -> bool:
    row = known.get(manifest.stage)
    if row is None:
        return False
    if row.published_at >= began:
        return True
    told = (row.key, row.data_version, row.code_version, row.made_at, row.made_from, row.measures)
    return told == (
        manifest.key,
        manifest.data_version,
        manifest.code_version,
        manifest.made_at,
        dict(manifest.made_from),
        dict(manifest.measures),
    )


def _row(manifest: Manifest) -> dict[str, str | float | None]:
    return {
        "track": manifest.track,
        "stage": manifest.stage,
        "gone": False,
        "key": manifest.key,
        "data_version": manifest.data_version,
        "code_version": manifest.code_version,
        "made_from": json.dumps(dict(manifest.made_from), separators=(",", ":")),
        "measures": json.dumps(dict(manifest.measures), separators=(",", ":")),
        "engine": manifest.engine.name,
        "model": manifest.engine.model,
        "licence": manifest.engine.licence,
        "made_at": manifest.made_at,
        "seconds": manifest.seconds,
    }


def _enter(db: sa.Connection, manifests: Sequence[Manifest], unless_since: float | None = None) -> None:
    """Insert or replace, one change a row. unless_since: rows recorded since then stay as they are."""
    if not manifests:
        return
    first = _next_change(db, len(manifests))
    insert = insert_into(db, index)
    replaced = [column.name for column in index.c if not column.primary_key]
    replacing = insert.values(published_at=now()).on_conflict_do_update(
        index_elements=[index.c.track, index.c.stage],
        set_={name: insert.excluded[name] for name in replaced},
        where=None if unless_since is None else index.c.published_at < unless_since,
    )
    rows = [{**_row(manifest), "change": first + number} for number, manifest in enumerate(manifests)]
    db.execute(replacing, rows)


def _next_change(db: sa.Connection, count: int) -> int:
    """The first of `count` numbers, which nobody else gets."""
    insert = insert_into(db, changes)
    origin = time.time_ns() // 1000
    counted = insert.values(id=1, origin=origin, last=origin + count, walked=False).on_conflict_do_update(
        index_elements=[changes.c.id], set_={"last": changes.c.last + count}
    )
    last: int = db.execute(counted.returning(changes.c.last)).scalar_one()
    return last - count + 1


def _listing() -> sa.Select[tuple[object, ...]]:
    columns = (column for column in index.c if column.name not in {"gone", "change"})
    return sa.select(*columns).where(~index.c.gone).order_by(index.c.track)


def _by_track(rows: Iterable[sa.Row[tuple[object, ...]]]) -> dict[str, dict[str, Current]]:
    return {
        track: {row.stage: _current_row(row) for row in stages}
        for track, stages in groupby(rows, key=lambda row: str(row.track))
    }


def _current_row(row: sa.Row[tuple[object, ...]]) -> Current:
    told = {"made_from": json_in(row.made_from, {}), "measures": json_in(row.measures, {})}
    return Current(**{**row._mapping, **told})


def _pages(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _PAGE):
        yield names[start : start + _PAGE]


def _batches(manifests: Iterator[Manifest]) -> Iterator[list[Manifest]]:
    while batch := list(islice(manifests, _PAGE)):
        yield batch
