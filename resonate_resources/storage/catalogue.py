"""The catalogue as a file: the rows of `tracks`, as Parquet. And which tracks are behind their inputs."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from resonate_resources.storage.current import (
    Current,
    Versions,
    all_versions,
    changed_since,
    current_of,
    rebuild,
    was_walked,
)
from resonate_resources.storage.store import Store
from resonate_resources.storage.tracks import SHOWN, Judge, bring_up_to_date, describe_missing, rows_of

if TYPE_CHECKING:
    import pandas as pd

CATALOGUE = "library/library.parquet"
_COLUMNS = (*SHOWN, "made")


def unjudged(_: Mapping[str, Mapping[str, float | int | str | bool]]) -> tuple[bool | None, str]:
    """Of every track, nothing is known."""
    return None, ""


_SEEN = "resonate_change"
"""In the file's own metadata: the number of the last change that it knows of."""
_CRITERIA = "resonate_criteria"
"""There, too: what its rows were judged by."""


def read_catalogue(store: Store) -> pd.DataFrame | None:
    """The catalogue as it was last written, or None."""
    data = store.read(CATALOGUE)
    return None if data is None else _read(data).frame


def build_catalogue(
    store: Store, url: str, stages: Sequence[str], judge: Judge = unjudged, criteria: str = ""
) -> pd.DataFrame:
    """Bring the tables and the file up to date. url: of the database. judge, criteria: see `bring_up_to_date`.

    Only tracks that were recorded anew since the last time are made again: the cost is one read and one write of
    the file, and a few rows a changed track; by other criteria, or with other columns, all are. Columns: those of
    `tracks` that people read, and as JSON `made` (stage → data version, code version and what it was made from).
    """
    import pandas as pd

    data = store.read(CATALOGUE)
    earlier, seen = pd.DataFrame(columns=list(_COLUMNS)), 0
    if data is not None:
        written = _read(data)
        if (list(written.frame.columns), written.criteria) == ([*_COLUMNS], criteria):
            earlier, seen = written.frame, written.seen
    if not was_walked(url):
        rebuild(url, store)
    changes = changed_since(url, seen)
    if changes.whole:
        earlier = earlier.iloc[:0]
    described = set(describe_missing(url, store))
    bring_up_to_date(url, judge, criteria)
    changed = changes.tracks | described
    made = current_of(url, changed)
    rows = [
        {**row, "made": _made(made[track], stages)}
        for track, row in rows_of(url, changed).items()
        if track in made
    ]
    kept = earlier[~earlier["track"].isin(changed)]
    fresh = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame = pd.concat([part for part in (kept, fresh) if len(part)] or [fresh], ignore_index=True)
    frame = frame.sort_values("track", ignore_index=True)
    if data is None or changes.whole or changed:
        store.write(CATALOGUE, _written(frame, changes.last, criteria))
    return frame


def forget_track(store: Store, track: str) -> None:
    """Take a track out of the file."""
    data = store.read(CATALOGUE)
    if data is None:
        return
    written = _read(data)
    if (written.frame["track"] == track).any():
        kept = written.frame[written.frame["track"] != track].reset_index(drop=True)
        store.write(CATALOGUE, _written(kept, written.seen, written.criteria))


class _Written(NamedTuple):
    frame: pd.DataFrame
    seen: int
    """The last change that the rows know of: 0, and no rows, where an earlier version wrote them."""
    criteria: str


def _read(data: bytes) -> _Written:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    told = table.schema.metadata or {}
    seen = told.get(_SEEN.encode())
    frame = table.to_pandas()
    if seen is None:
        return _Written(frame.iloc[:0].reindex(columns=list(_COLUMNS)), 0, "")
    return _Written(frame, int(seen), told.get(_CRITERIA.encode(), b"").decode())


def _written(frame: pd.DataFrame, seen: int, criteria: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    own = {_SEEN: str(seen), _CRITERIA: criteria}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **own})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _made(made: Mapping[str, Current], stages: Sequence[str]) -> str:
    told = {
        stage: {
            "data_version": made[stage].data_version,
            "code_version": made[stage].code_version,
            "made_from": dict(made[stage].made_from),
        }
        for stage in stages
        if stage in made
    }
    return json.dumps(told)


def stale_stages(made: Mapping[str, Versions], code_versions: Mapping[str, str]) -> list[str]:
    """Stages of a track that are missing, or were made by other code or from other inputs than there are now.

    made: stage → what is current; code_versions: stage → its code's, of every stage there should be.
    """
    return [
        stage
        for stage, code_version in code_versions.items()
        if stage not in made
        or made[stage].code_version != code_version
        or any(
            name in made and made[name].data_version != version
            for name, version in made[stage].made_from.items()
        )
    ]


@dataclass(frozen=True)
class Stale:
    """A track that is behind: its stages that are, and a name for the state that it is in, equal for as long as
    nothing about it changes."""

    track: str
    stages: list[str]
    state: str


def stale_tracks(url: str, code_versions: Mapping[str, str]) -> Iterator[Stale]:
    """Every track that has something, and stages that are stale. Reads the whole index, page by page."""
    return filter(None, (_stale(track, made, code_versions) for track, made in all_versions(url)))


def next_stale(
    url: str, code_versions: Mapping[str, str], after: str, at_most: int
) -> tuple[list[Stale], str]:
    """Those that are stale of the next so many tracks after one, and the last that was looked at: "" at the end."""
    looked_at = list(islice(all_versions(url, after), at_most))
    found = (_stale(track, made, code_versions) for track, made in looked_at)
    return [each for each in found if each], looked_at[-1][0] if len(looked_at) == at_most else ""


def _stale(track: str, made: Mapping[str, Versions], code_versions: Mapping[str, str]) -> Stale | None:
    stages = stale_stages(made, code_versions)
    if not stages:
        return None
    facts = [
        sorted(code_versions.items()),
        sorted((stage, each.key, each.data_version) for stage, each in made.items()),
    ]
    return Stale(track, stages, hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12])
