"""The compute cache: results of stages that other results have taken the place of, and what killed runs left.

    artefacts/<stage>/<track>/manifest.json            which result counts
    artefacts/<stage>/<track>/<key>/manifest.json      a result is finished, and the attempt that made it
    artefacts/<stage>/<track>/<key>/<attempt>/…        files of an attempt; of earlier versions, files of the result

Results are kept because going back to the settings, engine or code they were made with then costs nothing. What no
manifest names, an attempt that was killed or that another one overtook, is of no use to anybody.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from resonate_resources.parallel import in_parallel
from resonate_resources.storage.store import Entry, Store

LEFTOVER_SECONDS = 3600.0
"""What is not finished and was written to more recently may be under way, heartbeat or no heartbeat."""
_READ_AT_ONCE = 8
_KEPT = ("brief",)  # some kB, and what was asked for once can't be found out again
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Computation:
    """A stored result, or an attempt at one. prefix: where its files are; manifest: the key of what says that it is
    finished, None where nothing does; engine: by which it was made, "" where that is not known; size in bytes;
    written_at: of what was written last, in seconds since 1970; current: whether it is what its stage gives now."""

    prefix: str
    stage: str
    track: str
    manifest: str | None
    engine: str
    size: int
    written_at: float
    current: bool


@dataclass(frozen=True)
class Cleared:
    """How many results and leftovers were removed, their bytes, and tracks passed over as they are in use."""

    results: int = 0
    leftovers: int = 0
    size: int = 0
    in_use: tuple[str, ...] = ()


@dataclass
class _Files:
    """What lies under one key."""

    entries: list[Entry] = field(default_factory=list)
    manifest: Entry | None = None


def computations(store: Store, below: str = "artefacts") -> Iterator[Computation]:
    """All results of all stages of all tracks, finished or not. One listing, and a small read for each manifest.

    below: `artefacts/<stage>/<track>` for those of one stage of a track.
    """
    keys: dict[tuple[str, str, str], _Files] = {}
    outer: dict[tuple[str, str], Entry] = {}
    for entry in store.entries(below):
        parts = entry.key.split("/")
        if len(parts) == 4:
            outer[parts[1], parts[2]] = entry
        elif len(parts) > 4:
            files = keys.setdefault((parts[1], parts[2], parts[3]), _Files())
            if parts[4:] == [_MANIFEST]:
                files.manifest = entry
            else:
                files.entries.append(entry)
    inner = {key: files.manifest for key, files in keys.items() if files.manifest is not None}
    counting = {
        which: manifest and manifest.get("key")
        for which, manifest in zip(outer, _manifests(store, outer.values()), strict=True)
    }
    finished = dict(zip(inner, _manifests(store, inner.values()), strict=True))
    for (stage, track, key), files in sorted(keys.items()):
        # Where what says it is damaged, any may be what counts.
        current = counting.get((stage, track), "") in (key, None)
        yield from _of_key(
            f"artefacts/{stage}/{track}/{key}", files, finished.get((stage, track, key)), current
        )


def removable(
    found: Computation, older_than_seconds: float, leftover_seconds: float = LEFTOVER_SECONDS
) -> bool:
    """Whether `clear` would remove it, were its track not in use."""
    if found.manifest is None:
        return time.time() - found.written_at >= leftover_seconds
    kept = found.current or found.stage in _KEPT
    return not kept and time.time() - found.written_at >= older_than_seconds


def clear(
    store: Store,
    older_than_seconds: float,
    tracks_in_use: Callable[[], Collection[str]] = lambda: (),
    leftover_seconds: float = LEFTOVER_SECONDS,
) -> Cleared:
    """Remove results that count no longer and were finished so long ago, and what was left unfinished longer ago
    than leftover_seconds.

    What counts now stays, however old, and so do earlier briefs and all of a track that is in use. Both are asked
    for again before each removal, as the listing of a large library takes long: a run that ended meanwhile may have
    gone back to an old result, or finished one where another had left half of it. A run that begins meanwhile finds
    its results, or makes them again, but never half of one.
    """
    results = leftovers = size = 0
    in_use: set[str] = set()
    for found in list(computations(store)):
        if not removable(found, older_than_seconds, leftover_seconds):
            continue
        if found not in computations(store, f"artefacts/{found.stage}/{found.track}"):
            continue
        if found.track in tracks_in_use():
            in_use.add(found.track)
            continue
        if found.manifest is not None:
            # Without its manifest it is no result any more: killed in between, nothing is taken for whole.
            store.delete(found.manifest)
        store.delete(found.prefix)
        results += found.manifest is not None
        leftovers += found.manifest is None
        size += found.size
    return Cleared(results, leftovers, size, tuple(sorted(in_use)))


def _named(engine: object) -> str:
    return str(engine.get("name", "")) if isinstance(engine, dict) else ""


def _of_key(
    prefix: str, files: _Files, manifest: dict[str, Any] | None, current: bool
) -> Iterator[Computation]:
    """The result that the manifest names, and every attempt that it does not."""
    _, stage, track, _ = prefix.split("/")
    if manifest is None or files.manifest is None:  # unfinished, or gone since it was listed
        if files.entries:
            size, written_at = _sum(files.entries)
            yield Computation(prefix, stage, track, None, "", size, written_at, current=False)
        return
    attempt = manifest.get("attempt")
    mine = f"{prefix}/{attempt}" if attempt else prefix
    left: dict[str, list[Entry]] = {}
    counts = [files.manifest]
    for entry in files.entries:
        if entry.key.startswith(f"{mine}/"):
            counts.append(entry)
        else:
            left.setdefault("/".join(entry.key.split("/")[:5]), []).append(entry)
    engine = _named(manifest.get("engine"))
    size, _ = _sum(counts)
    yield Computation(
        mine, stage, track, files.manifest.key, engine, size, files.manifest.written_at, current
    )
    for place, entries in sorted(left.items()):
        size, written_at = _sum(entries)
        yield Computation(place, stage, track, None, "", size, written_at, current=False)


def _sum(entries: Collection[Entry]) -> tuple[int, float]:
    return sum(entry.size for entry in entries), max(entry.written_at for entry in entries)


def _manifests(store: Store, entries: Collection[Entry]) -> Iterator[dict[str, Any] | None]:
    """Only what is asked of them here: those of other versions may have other fields."""

    def read(entry: Entry) -> dict[str, Any] | None:
        data = store.read(entry.key)
        try:
            found = json.loads(data or b"")
        except ValueError:
            return None  # gone since it was listed, or damaged
        return found if isinstance(found, dict) else None

    return in_parallel(read, entries, _READ_AT_ONCE)
