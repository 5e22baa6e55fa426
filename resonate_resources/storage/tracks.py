"""Tracks as rows of the shared database: what they are called, what was measured of them, and what they are worth.

What only an artefact's files tell is entered when it is published (`describe`). What the index of what is current
tells is taken over from there, track by track as they change (`bring_up_to_date`), and reads no storage.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.current import changes, index
from resonate_resources.storage.database import alone, json_in, tables, transaction, upsert
from resonate_resources.storage.sources import Sources
from resonate_resources.storage.store import Store

WORDS: Mapping[str, tuple[str, ...]] = {"profile": ("key", "camelot"), "exports": ("folder",)}
NUMBERS: Mapping[str, tuple[str, ...]] = {
    "raw_track": ("duration_s", "sample_rate_hz", "channels"),
    "profile": ("tempo_bpm", "loudness_lufs", "bandwidth_hz"),
    "stems": ("vocals_predicted_quality_db",),
    "master": ("limiting_db", "limiting_allowed_db"),
    "qc_scores": ("master_total", "regenerated_total"),
}
"""Stage → its measures that have a column of their own; all of them stand in the index."""
WHOLE = frozenset({"sample_rate_hz", "channels"})
"""Numbers that are integers."""
TAGS = ("artist", "title", "album", "genre", "isrc")

tracks = sa.Table(
    "tracks",
    tables,
    sa.Column("track", sa.String(64), primary_key=True),
    sa.Column("described", sa.String(64)),
    sa.Column("source", sa.Text),
    *(sa.Column(name, sa.Text) for name in TAGS),
    sa.Column("sha256", sa.String(64)),
    sa.Column("sound_sha256", sa.String(64), index=True),
    sa.Column("added_at", sa.Text),
    sa.Column("name_folded", sa.Text),
    sa.Column("genre_folded", sa.Text),
    *(sa.Column(name, sa.Text) for names in WORDS.values() for name in names),
    *(
        sa.Column(name, sa.Integer if name in WHOLE else sa.Double)
        for names in NUMBERS.values()
        for name in names
    ),
    sa.Column("accepted", sa.Boolean),
    sa.Column("why_not", sa.Text),
)
"""described: data version of the raw_track whose tags these are. sha256: of the file, sound_sha256: of the WAV that
it was decoded to. added_at: ISO 8601 in UTC. The folded ones are what is searched."""
failed_checks = sa.Table(
    "failed_checks",
    tables,
    sa.Column("track", sa.String(64), primary_key=True),
    sa.Column("stage", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
)
fingerprints = sa.Table(
    "fingerprints",
    tables,
    sa.Column("track", sa.String(64), primary_key=True),
    sa.Column("data_version", sa.String(64), nullable=False),
    sa.Column("fingerprint", sa.Text),
    sa.Column("sketch", sa.LargeBinary),
)
"""data_version: of the profile that it was made in. fingerprint: None where there is none. sketch: little-endian
words, once they were asked for."""
_seen = sa.Table(
    "tracks_seen",
    tables,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Column("criteria", sa.Text, nullable=False),
)
"""One row: the last change of the index that was taken over, and what tracks were judged by."""

Judge = Callable[[Mapping[str, Mapping[str, float | int | str | bool]]], tuple[bool | None, str]]
"""From stage → measures of a track: whether it is accepted, None where that is not known yet, and why not."""

SHOWN = tuple(
    column.name
    for column in tracks.c
    if column.name not in {"described", "sound_sha256", "name_folded", "genre_folded"}
)
"""Columns that people read, in their order."""
_ALONE_NO_TRACK = {"brief"}
"""The stage that needs no sound."""
_PAGE = 2000
"""Changes a transaction: SQLite lets nobody else in meanwhile."""


def describe(url: str, artefact: Artefact, sources: Sources) -> None:
    """Enter what only files tell: of raw_track its tags and its source, of profile its fingerprint."""
    manifest = artefact.manifest
    if manifest.stage == "raw_track":
        told = artefact.read_json("track.json")["tags"]
        tags = {name: told.get(name) for name in TAGS}
        row = {
            **_sourced(manifest.track, sources),
            **_called(tags),
            "described": manifest.data_version,
            "sound_sha256": manifest.files["track.wav"].sha256,
        }
        with transaction(url) as db:
            upsert(db, tracks, [row])
    elif manifest.stage == "profile":
        told = artefact.read_json("profile.json").get("fingerprint")
        row = {"track": manifest.track, "data_version": manifest.data_version, "fingerprint": told}
        with transaction(url) as db:
            upsert(db, fingerprints, [row | {"sketch": None}])


def _sourced(track: str, sources: Sources) -> dict[str, str | None]:
    """What is known of a track without its artefacts."""
    source = sources.find(track)
    if source is None:
        return {"track": track}
    return {
        "track": track,
        **_called({"artist": source.artist, "title": source.title}),
        # A path need not be UTF-8; what stands in a table must be.
        "source": os.fsencode(source.uri).decode(errors="replace"),
        "sha256": source.sha256,
        "added_at": source.registered_at,
    }


def _called(tags: Mapping[str, str | None]) -> dict[str, str | None]:
    """Tags with what of them is searched."""
    name = " ".join(filter(None, (tags.get(part) for part in ("artist", "title", "album"))))
    return {**tags, "name_folded": folded(name), "genre_folded": folded(tags.get("genre") or "")}


def describe_missing(url: str, store: Store) -> list[str]:
    """`describe` what was recorded by an earlier version, or by a process that was killed. Returns the tracks."""
    artefacts, sources = Artefacts(store), Sources(store)
    done = []
    for stage, track in _undescribed(url):
        artefact = artefacts.current(stage, track)
        if artefact is None:
            continue
        try:
            describe(url, artefact, sources)
            done.append(track)
        except (OSError, AudioError, ValueError, KeyError):
            # Files that are gone or damaged: the stage is made anew, and described then.
            if stage == "raw_track":
                with transaction(url) as db:
                    upsert(db, tracks, [_sourced(track, sources)])
    return done


def undescribed(url: str) -> int:
    """Of how many tracks neither tags nor source are known yet."""
    return sum(stage == "raw_track" for stage, _ in _undescribed(url))


def _undescribed(url: str) -> list[tuple[str, str]]:
    known = {
        "raw_track": (tracks, tracks.c.described),
        "profile": (fingerprints, fingerprints.c.data_version),
    }
    found = []
    with transaction(url) as db:
        for stage, (table, version) in known.items():
            query = (
                sa.select(index.c.track)
                .outerjoin(table, table.c.track == index.c.track)
                .where(index.c.stage == stage, ~index.c.gone)
                .where(version.is_distinct_from(index.c.data_version))
            )
            found += [(stage, track) for track in db.execute(query).scalars()]
    return found


def record_checks(url: str, track: str, stage: str, failed: Iterable[str]) -> None:
    """Names of the checks of a stage that failed, in place of those that did before."""
    with transaction(url) as db:
        db.execute(
            sa.delete(failed_checks).where(failed_checks.c.track == track, failed_checks.c.stage == stage)
        )
        upsert(db, failed_checks, [{"track": track, "stage": stage, "name": name} for name in failed])


def rows_of(url: str, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Track → column → value, of these tracks, as far as they are known."""
    ordered, found = sorted(names), dict[str, dict[str, Any]]()
    for start in range(0, len(ordered), _PAGE):
        query = sa.select(*(tracks.c[name] for name in SHOWN))
        query = query.where(tracks.c.track.in_(ordered[start : start + _PAGE]))
        with transaction(url) as db:
            found |= {row.track: dict(row._mapping) for row in db.execute(query)}
    return found


def bring_up_to_date(url: str, judge: Judge, criteria: str) -> None:
    """Take over what changed in the index since the last time; by other criteria all tracks are judged anew.

    judge is told measures of the stages that have columns here. criteria: names what it goes by.
    """
    while _take_over_page(url, judge, criteria):
        pass


def _take_over_page(url: str, judge: Judge, criteria: str) -> bool:
    """The next of the changes; whether there may be more. Killed in between, it is not done at all."""
    with transaction(url) as db:
        alone(db, "tracks_seen")
        known = db.execute(sa.select(_seen)).first()
        seen = known.change if known is not None and known.criteria == criteria else 0
        changes = sa.select(index.c.track, index.c.change).where(index.c.change > seen)
        page = db.execute(changes.order_by(index.c.change).limit(_PAGE)).all()
        if page:
            _take_over(db, {row.track for row in page}, judge)
        last = page[-1].change if page else seen
        if known is None or (last, criteria) != (known.change, known.criteria):
            upsert(db, _seen, [{"id": 1, "change": last, "criteria": criteria}])
        return len(page) == _PAGE


def _take_over(db: sa.Connection, names: Collection[str], judge: Judge) -> None:
    measured = WORDS.keys() | NUMBERS.keys()
    measures = sa.case((index.c.stage.in_(sorted(measured)), index.c.measures), else_="{}")
    query = sa.select(index.c.track, index.c.stage, measures.label("measures"))
    query = query.where(~index.c.gone, index.c.track.in_(sorted(names))).order_by(index.c.track)
    rows = []
    for track, stages in groupby(db.execute(query), key=lambda row: str(row.track)):
        made = {row.stage: json_in(row.measures, {}) for row in stages}
        if not made.keys() <= _ALONE_NO_TRACK:
            rows.append({"track": track, **_columns(made, judge)})
    upsert(db, tracks, rows)
    gone = sorted(set(names) - {row["track"] for row in rows})
    for table in (tracks, fingerprints, failed_checks):
        db.execute(sa.delete(table).where(table.c.track.in_(gone)))


def _columns(made: Mapping[str, Mapping[str, Any]], judge: Judge) -> dict[str, Any]:
    accepted, why_not = judge(
        {stage: made[stage] for stage in made if stage in WORDS.keys() | NUMBERS.keys()}
    )
    words = {
        name: made[stage].get(name) if stage in made else None
        for stage, names in WORDS.items()
        for name in names
    }
    # Manifests keep infinities as text.
    numbers = {
        name: (int if name in WHOLE else float)(made[stage][name]) if name in made.get(stage, {}) else None
        for stage, names in NUMBERS.items()
        for name in names
    }
    return {**words, **numbers, "accepted": accepted, "why_not": why_not or None}


def forget_rows(url: str, track: str) -> None:
    """What is known of a track of which nothing is left, and of its artefacts that were; that there was one is told
    until `forget_gone`."""
    scrubbed = {
        "key": "",
        "data_version": "",
        "code_version": "",
        "made_from": "{}",
        "measures": "{}",
        "engine": "",
    }
    unknown = dict.fromkeys(("model", "licence", "made_at", "seconds"))
    with transaction(url) as db:
        for table in (tracks, fingerprints, failed_checks):
            db.execute(sa.delete(table).where(table.c.track == track))
        db.execute(sa.update(index).where(index.c.track == track, index.c.gone).values(**scrubbed, **unknown))


def forget_gone(url: str) -> int:
    """Delete rows of the index that only tell that an artefact is gone, as far as `bring_up_to_date` has heard it.
    Who has not will read all of it anew. Returns how many."""
    with transaction(url) as db:
        alone(db, "tracks_seen")
        seen = db.execute(sa.select(_seen.c.change)).scalar() or 0
        heard = index.c.gone, index.c.change <= seen
        last = db.execute(sa.select(sa.func.max(index.c.change)).where(*heard)).scalar()
        if last is None:
            return 0
        db.execute(sa.update(changes).where(changes.c.origin < last).values(origin=last))
        return db.execute(sa.delete(index).where(*heard)).rowcount


def folded(text: str) -> str:
    """Text as it is searched: without case and accents, `Björk` as `bjork`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
