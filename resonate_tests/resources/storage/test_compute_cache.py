"""Clearing the cache frees what is old, and never what counts."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.compute_cache import clear, computations
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
    assert clear(artefacts.store, 30 * DAY) == (0, 0)
    assert current.complete()


def test_what_counts_no_longer_goes_at_its_age_and_not_before(artefacts: Artefacts) -> None:
    old, young, current = (make(artefacts, source, days) for source, days in (("a", 31), ("b", 29), ("c", 0)))
    artefacts.publish(current)
    removed, size = clear(artefacts.store, 30 * DAY)
    assert removed == 1
    assert 1000 < size < 3000  # the recording and its manifest
    assert artefacts.computed("mix", TRACK, old.manifest.key) is None
    assert young.complete()
    assert not Path(old.location("")).exists()


def test_what_is_under_way_stays(artefacts: Artefacts) -> None:
    artefacts.store.write(f"artefacts/mix/{TRACK}/key/attempt/mix.wav", b"0" * 10)
    assert clear(artefacts.store, 0.0) == (0, 0)
    (found,) = computations(artefacts.store)
    assert found.finished_at is None


def test_sizes_add_up(artefacts: Artefacts) -> None:
    now, before = make(artefacts, "now", days_old=0), make(artefacts, "before", days_old=1)
    artefacts.publish(now)
    found = list(computations(artefacts.store))
    assert sorted(
        (computation.prefix.rpartition("/")[2], computation.current) for computation in found
    ) == sorted([(before.manifest.key, False), (now.manifest.key, True)])
    on_disk = sum(
        path.stat().st_size
        for path in Path(artefacts.store.location("artefacts")).rglob("*/*/*/*")
        if path.is_file()
    )
    assert sum(computation.size for computation in found) == on_disk
