"""Clearing the cache frees what is old, and never what counts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage import compute_cache
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.compute_cache import Cleared, clear, computations
from resonate_resources.storage.store import LocalStore, new_directory

DAY = 86_400.0
TRACK = "song-0123456789ab"


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(LocalStore(tmp_path))


def make(artefacts: Artefacts, source: str, days_old: float) -> Artefact:
    """A mix of that source, finished so long ago."""
    with new_directory(artefacts.store, "mix") as into:
        (into / "mix.wav").write_bytes(b"0" * 1000)
        made = artefacts.keep(
            Product({"mix.wav": into / "mix.wav"}),
            stage="mix",
            track=TRACK,
            recipe=Recipe(Engine("test")),
            reads=[Read("stems", source, {"vocals.wav": source})],
            seconds=0.0,
        )
    written = time.time() - days_old * DAY
    os.utime(
        artefacts.store.fetch(f"artefacts/mix/{TRACK}/{made.manifest.key}/manifest.json"), (written, written)
    )
    return made


def test_what_counts_stays_however_old_it_is(artefacts: Artefacts) -> None:
    current = make(artefacts, "now", days_old=400)
    artefacts.publish(current)
    assert clear(artefacts.store, 30 * DAY) == Cleared()
    assert current.complete()


def test_what_counts_no_longer_goes_at_its_age_and_not_before(artefacts: Artefacts) -> None:
    old, young, current = (make(artefacts, source, days) for source, days in (("a", 31), ("b", 29), ("c", 0)))
    artefacts.publish(current)
    cleared = clear(artefacts.store, 30 * DAY)
    assert (cleared.results, cleared.leftovers) == (1, 0)
    assert 1000 < cleared.size < 3000  # the recording and its manifest
    assert artefacts.computed("mix", TRACK, old.manifest.key) is None
    assert young.complete()
    assert not Path(old.location("")).exists()


TRACK = "song-0123456789ab"
LEFT = f"artefacts/mix/{TRACK}/half/mix.wav"


def leave(artefacts: Artefacts, key: str, hours_old: float) -> Path:
    """A file as a killed run leaves it."""
    artefacts.store.write(key, b"0" * 10)
    path = Path(artefacts.store.location(key))
    written = time.time() - hours_old * 3600
    os.utime(path, (written, written))
    return path


def test_what_is_under_way_stays(artefacts: Artefacts) -> None:
    leave(artefacts, LEFT, hours_old=0.9)
    assert clear(artefacts.store, 0.0) == Cleared()
    (found,) = computations(artefacts.store)
    assert found.manifest is None


def test_what_a_killed_run_left_goes_after_an_hour(artefacts: Artefacts) -> None:
    left = leave(artefacts, LEFT, hours_old=1.1)
    assert clear(artefacts.store, 30 * DAY) == Cleared(leftovers=1, size=10)
    assert not left.exists()


def test_nothing_goes_of_a_track_that_is_in_use_and_that_is_told(artefacts: Artefacts) -> None:
    old = make(artefacts, "a", days_old=31)
    left = leave(artefacts, LEFT, hours_old=2)
    assert clear(artefacts.store, 30 * DAY, lambda: {TRACK}) == Cleared(in_use=(TRACK,))
    assert old.complete()
    assert left.exists()


def test_a_track_that_comes_into_use_while_the_cache_is_cleared_keeps_what_it_still_has(
    artefacts: Artefacts,
) -> None:
    keys = [make(artefacts, source, days_old=31).manifest.key for source in ("a", "b", "c")]
    looks = iter([set[str](), {TRACK}, {TRACK}])
    cleared = clear(artefacts.store, 30 * DAY, lambda: next(looks))
    assert (cleared.results, cleared.in_use) == (1, (TRACK,))
    assert sorted(artefacts.computed("mix", TRACK, key) is not None for key in keys) == [False, True, True]


def while_it_is_cleared(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Have something done once all was listed, and before anything is removed."""
    listing, begun = compute_cache.computations, list[bool]()

    def listed(*asked: Any) -> Iterator[compute_cache.Computation]:
        yield from listing(*asked)
        if not begun:
            begun.append(True)
            work()

    monkeypatch.setattr(compute_cache, "computations", listed)


def test_what_counts_again_since_the_cache_was_listed_stays(
    artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, current = make(artefacts, "a", days_old=31), make(artefacts, "b", days_old=31)
    artefacts.publish(current)
    while_it_is_cleared(monkeypatch, lambda: artefacts.publish(old))
    assert clear(artefacts.store, 30 * DAY) == Cleared()
    counts = artefacts.current("mix", TRACK)
    assert counts is not None
    assert counts.manifest.key == old.manifest.key
    assert counts.complete()


def test_what_was_finished_where_a_killed_run_had_left_half_of_it_stays(
    artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(artefacts, "a", days_old=0).manifest.key
    artefacts.store.delete(f"artefacts/mix/{TRACK}")
    leave(artefacts, f"artefacts/mix/{TRACK}/{key}/killed/mix.wav", hours_old=2)
    finished = list[Artefact]()

    def finish() -> None:
        finished.append(make(artefacts, "a", days_old=0))
        artefacts.publish(finished[0])

    while_it_is_cleared(monkeypatch, finish)
    clear(artefacts.store, 30 * DAY)
    assert finished[0].manifest.key == key
    assert finished[0].complete()


def manifest_of(artefacts: Artefacts, key: str, attempt: str, engine: str = "mixer") -> None:
    told = json.dumps({"key": key, "attempt": attempt, "engine": {"name": engine}}).encode()
    artefacts.store.write(f"artefacts/mix/{TRACK}/{key}/manifest.json", told)


def test_an_attempt_that_no_manifest_names_goes_and_the_one_it_names_stays(artefacts: Artefacts) -> None:
    mix = f"artefacts/mix/{TRACK}/k"
    won, lost, late = (
        leave(artefacts, f"{mix}/{attempt}/{name}", hours_old)
        for attempt, name, hours_old in (
            ("won", "mix.wav", 9),
            ("lost", "raw/mix.wav", 2),
            ("late", "x", 0.5),
        )
    )
    manifest_of(artefacts, "k", "won")
    artefacts.store.write(f"artefacts/mix/{TRACK}/manifest.json", json.dumps({"key": "k"}).encode())
    assert clear(artefacts.store, 0.0) == Cleared(leftovers=1, size=10)
    assert (won.exists(), lost.exists(), late.exists()) == (True, False, True)
    (finished, unfinished) = computations(artefacts.store)
    assert (finished.engine, finished.current, unfinished.manifest) == ("mixer", True, None)


def test_a_result_of_attempts_goes_as_a_whole_once_it_counts_no_longer(artefacts: Artefacts) -> None:
    file = leave(artefacts, f"artefacts/mix/{TRACK}/k/won/mix.wav", hours_old=9)
    manifest_of(artefacts, "k", "won")
    assert clear(artefacts.store, 0.0).results == 1
    assert not file.exists()
    assert list(computations(artefacts.store)) == []


def test_sizes_add_up(artefacts: Artefacts) -> None:
    now, before = make(artefacts, "now", days_old=0), make(artefacts, "before", days_old=1)
    artefacts.publish(now)
    found = list(computations(artefacts.store))
    assert sorted((one.prefix.split("/")[3], one.current, one.engine) for one in found) == sorted(
        [(before.manifest.key, False, "test"), (now.manifest.key, True, "test")]
    )
    on_disk = sum(
        path.stat().st_size
        for path in Path(artefacts.store.location("artefacts")).rglob("*/*/*/*")
        if path.is_file()
    )
    assert sum(computation.size for computation in found) == on_disk
