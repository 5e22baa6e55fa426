"""Clearing the cache frees what is old, and never what counts."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resonate_resources.engine import Engine, Product
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.compute_cache import clear, computations
from resonate_resources.storage.store import LocalStore, new_directory

DAY = 86_400.0


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(LocalStore(tmp_path))


def make(artefacts: Artefacts, key: str, days_old: float) -> Artefact:
    with new_directory(artefacts.store, "mix") as into:
        (into / "mix.wav").write_bytes(b"0" * 1000)
        made = artefacts.keep(
            Product({"mix.wav": into / "mix.wav"}),
            stage="mix",
            track="song-0123456789ab",
            key=key,
            code_version="1",
            engine=Engine("test"),
            inputs={},
            seconds=0.0,
        )
    written = time.time() - days_old * DAY
    os.utime(made.path("manifest.json"), (written, written))
    return made


def test_what_counts_stays_however_old_it_is(artefacts: Artefacts) -> None:
    current = make(artefacts, "now", days_old=400)
    artefacts.publish(current)
    assert clear(artefacts.store, 30 * DAY) == (0, 0)
    assert current.complete()


def test_what_counts_no_longer_goes_at_its_age_and_not_before(artefacts: Artefacts) -> None:
    old, young, current = (make(artefacts, key, days) for key, days in (("a", 31), ("b", 29), ("c", 0)))
    artefacts.publish(current)
    removed, size = clear(artefacts.store, 30 * DAY)
    assert removed == 1
    assert 1000 < size < 3000  # the recording and its manifest
    assert artefacts.computed("mix", "song-0123456789ab", "a") is None
    assert young.complete()
    assert not Path(old.location("")).exists()


def test_what_is_under_way_stays(artefacts: Artefacts) -> None:
    artefacts.store.write("artefacts/mix/song-0123456789ab/half/mix.wav", b"0" * 10)
    assert clear(artefacts.store, 0.0) == (0, 0)
    (found,) = computations(artefacts.store)
    assert found.finished_at is None


def test_sizes_add_up(artefacts: Artefacts) -> None:
    artefacts.publish(make(artefacts, "now", days_old=0))
    make(artefacts, "before", days_old=1)
    found = list(computations(artefacts.store))
    assert [(computation.prefix.rpartition("/")[2], computation.current) for computation in found] == [
        ("before", False),
        ("now", True),
    ]
    on_disk = sum(
        path.stat().st_size
        for path in Path(artefacts.store.location("artefacts")).rglob("*/*/*/*")
        if path.is_file()
    )
    assert sum(computation.size for computation in found) == on_disk
