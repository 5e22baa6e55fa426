"""What the catalogue costs a track to record, and how long its questions take.

`python -m resonate_tests.benchmarks.bench_catalogue sqlite 1000 10000 100000`
`python -m resonate_tests.benchmarks.bench_catalogue postgresql 1000 10000 100000`

Simulated tracks with every stage made (see simulated_library), tags, and fingerprints of two minutes of noise, of
which every hundredth is like the one before it: a fifth of its words are others. The library is filled in batches;
then 100 more tracks are recorded as the graph does it, stage by stage, from files.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import chromaprint
import numpy as np

from resonate_assets.acceptance import CRITERIA, judge
from resonate_assets.definitions import TRACK_ASSETS
from resonate_resources.profiling.fingerprint import alike, words_of
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.current import record
from resonate_resources.storage.database import database, transaction, upsert
from resonate_resources.storage.duplicates import find_duplicates
from resonate_resources.storage.manifest import StoredFile
from resonate_resources.storage.sources import Source, Sources
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.track_search import Wanted, compatible, count, find
from resonate_resources.storage.tracks import (
    bring_up_to_date,
    describe,
    fingerprints,
    folded,
    record_checks,
    tracks,
)
from resonate_studio.catalogue_files import write_csv, write_parquet
from resonate_tests.benchmarks.simulated_library import fill_index, track_names
from resonate_tests.manifests import manifest
from resonate_tests.postgresql_server import postgresql_server

WORDS = 948  # of 120 s
GENRES = ("House", "Deep House", "Techno", "Drum & Bass", "Pop", "Hip-Hop")
MORE = 100
_BATCH = 500


def fingerprint(number: int) -> str:
    """Of the track of that number."""
    again = number % 100 == 99
    words = np.random.default_rng(number - again).integers(0, 2**32, WORDS, np.uint32)
    if again:
        words[::5] = np.random.default_rng(-number % 2**32).integers(0, 2**32, len(words[::5]), np.uint32)
    text: bytes = chromaprint.encode_fingerprint(words.view(np.int32).tolist(), 1)
    return text.decode()


def tags_of(number: int) -> dict[str, str]:
    return {
        "artist": f"Band {number // 20}",
        "title": f"Song {number}",
        "genre": GENRES[number % len(GENRES)],
    }


def fill_descriptions(url: str, names: Sequence[str]) -> None:
    """What `describe` enters, in batches."""
    for start in range(0, len(names), _BATCH):
        rows, prints = [], []
        for number, name in enumerate(names[start : start + _BATCH], start):
            tags = tags_of(number)
            more = {
                "described": "v",
                "source": f"/music/{name}.flac",
                "sound_sha256": sha256(name.encode()).hexdigest(),
                "added_at": f"2026-11-01T00:{number // 60 % 60:02}:{number % 60:02}+00:00",
                "name_folded": folded(f"{tags['artist']} {tags['title']}"),
                "genre_folded": folded(tags["genre"]),
            }
            rows.append({"track": name, **tags, **more})
            prints.append(
                {"track": name, "data_version": "v", "fingerprint": fingerprint(number), "sketch": None}
            )
        with transaction(url) as db:
            upsert(db, tracks, rows)
            upsert(db, fingerprints, prints)


def record_as_the_graph(url: str, store: LocalStore, name: str, number: int) -> None:
    """Every stage of a track, its files and its checks."""
    sources = Sources(store)
    for asset in TRACK_ASSETS:
        stage = asset.key.path[-1]
        texts = {
            "raw_track": {"track.json": {"tags": tags_of(number)}},
            "profile": {"profile.json": {"fingerprint": fingerprint(number)}},
        }.get(stage, {})
        files = {"track.wav": StoredFile(1, name)}
        for file, told in texts.items():
            content = json.dumps(told).encode()
            path = Path(store.root) / "artefacts" / stage / name / "k" / "a" / file
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            files[file] = StoredFile(len(content), sha256(content).hexdigest())
        made = manifest(stage, name, files=files, measures={"duration_s": 180.0, "master_total": 90.0})
        record(url, made)
        describe(url, Artefact(made, store), sources)
        record_checks(url, name, stage, ["mix_does_not_clip"] if stage == "mix" else [])


def measured(what: str, work: Callable[[], object]) -> tuple[str, float]:
    start = time.perf_counter()
    work()
    return what, time.perf_counter() - start


def questions(url: str, folder: Path) -> Iterator[tuple[str, float]]:
    def page(wanted: Wanted, sort: str = "added") -> Callable[[], object]:
        return lambda: (count(url, wanted), list(find(url, wanted, sort, descending=True, limit=50)))

    keys = compatible("8A")
    yield measured("list, a page", page(Wanted()))
    yield measured(
        "find: 120 to 128 BPM or half, keys that mix with 8A", page(Wanted((), (120, 128), True, keys))
    )
    yield measured("find: words", page(Wanted(("band 7", "song"))))
    yield measured("find: genre and score", page(Wanted(genre="house", least_score=85.0), "score"))
    yield measured("find: failed check", page(Wanted(failed_check="mix_does_not_clip")))
    yield measured("all as CSV", lambda: write_csv(find(url, Wanted(), "added"), folder / "all.csv"))
    yield measured(
        "all as Parquet", lambda: write_parquet(find(url, Wanted(), "added"), folder / "all.parquet")
    )


def measure(kind: str, number: int) -> Iterator[tuple[str, float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="resonate-bench-")))
        url = f"sqlite:///{folder / 'resonate.sqlite'}"
        if kind == "postgresql":
            environment = stack.enter_context(postgresql_server(25_432))
            user, password, port, name = (
                environment[f"RESONATE_POSTGRES_{each}"] for each in ("USER", "PASSWORD", "PORT", "DATABASE")
            )
            url = f"postgresql+psycopg2://{user}:{password}@127.0.0.1:{port}/{name}"
            stack.callback(database(url).dispose)
        names = track_names(number + MORE)
        yield measured("filled: index", lambda: fill_index(url, names[:number]))
        yield measured("filled: tags and fingerprints", lambda: fill_descriptions(url, names[:number]))
        yield measured("taken over and judged, all", lambda: bring_up_to_date(url, judge, CRITERIA))
        store = LocalStore(folder)
        for each in names[number:]:  # past `register`, which waits for the disk
            path = folder / "tracks" / f"{each}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(vars(Source(each, f"/music/{each}.flac", 1, each))))
        what, seconds = measured(
            "recorded as the graph does, a track",
            lambda: [
                record_as_the_graph(url, store, name, number + each)
                for each, name in enumerate(names[number:])
            ],
        )
        yield what, seconds / MORE
        what, seconds = measured(
            "taken over and judged, a track", lambda: bring_up_to_date(url, judge, CRITERIA)
        )
        yield what, seconds / MORE
        yield measured("nothing new to take over", lambda: bring_up_to_date(url, judge, CRITERIA))
        yield from questions(url, folder)
        found: list[object] = []
        yield measured("duplicates, first", lambda: found.extend(find_duplicates(url, words_of, alike)))
        yield measured("duplicates, again", lambda: find_duplicates(url, words_of, alike))
        assert len(found) == (number + MORE) // 100, len(found)


def main() -> None:
    kind, *numbers = sys.argv[1:]
    for number in map(int, numbers):
        print(f"| {kind}, {number} tracks | s |\n|---|---|", flush=True)
        for what, seconds in measure(kind, number):
            print(f"| {what} | {seconds:.4f} |", flush=True)


if __name__ == "__main__":
    main()
