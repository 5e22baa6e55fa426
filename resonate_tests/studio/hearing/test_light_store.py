"""The cache holds what was asked for last, whole, and no more than it may."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resonate_studio.hearing.light_store import LightStore, named

_KILOBYTE = 1000


def name(number: int) -> str:
    return named("test", number)


def aged(folder: Path, of: str, seconds: float) -> None:
    """As if it had not been read for so long."""
    then = time.time() - seconds
    os.utime(folder / of[:2] / of, (then, then))


def test_what_is_kept_is_found_by_another_process_of_the_same_home(tmp_path: Path) -> None:
    LightStore(tmp_path, 10**6).write(name(1), b"sound")
    assert LightStore(tmp_path, 10**6).read(name(1)) == b"sound"
    assert LightStore(tmp_path, 10**6).read(name(2)) is None


def test_names_differ_with_everything_they_are_made_from() -> None:
    made = [named("a", 1, 2), named("a", 12), named("a", "1", 2), named("b", 1, 2), named("a", 1, None)]
    assert len(set(made)) == len(made)


def test_what_was_not_read_for_longest_goes_first(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 100 * _KILOBYTE)
    for number in range(8):
        store.write(name(number), bytes(10 * _KILOBYTE))
        aged(tmp_path, name(number), 1000 - number)
    assert store.read(name(0)) is not None  # is the last one read now
    for number in range(8, 12):
        store.write(name(number), bytes(10 * _KILOBYTE))
    there = [number for number in range(12) if store.read(name(number)) is not None]
    assert 0 in there and 1 not in there and {8, 9, 10, 11} <= set(there)
    assert store.size <= 100 * _KILOBYTE


def test_it_never_holds_more_than_it_may_however_much_is_written(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 200 * _KILOBYTE)
    most = 0
    for number in range(300):
        store.write(name(number), bytes(3 * _KILOBYTE))
        most = max(most, store.size)
    assert most <= 200 * _KILOBYTE * 1.05
    assert store.size > 100 * _KILOBYTE


def test_half_a_file_is_none_and_is_made_anew(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 10**6)
    store.write(name(1), bytes(range(200)))
    path = tmp_path / name(1)[:2] / name(1)
    for damaged in (path.read_bytes()[:-1], path.read_bytes()[:5], b"", bytes(216)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(damaged)
        assert store.read(name(1)) is None
        assert store.read_or_make(name(1), lambda: b"anew") == b"anew"
        assert store.read(name(1)) == b"anew"


def test_many_threads_that_ask_for_the_same_have_it_made_once(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 10**6)
    made: list[int] = []
    together = threading.Barrier(8)

    def make() -> bytes:
        made.append(1)
        time.sleep(0.05)
        return b"sound"

    def ask(_: int) -> bytes:
        together.wait()
        return store.read_or_make(name(1), make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [b"sound"] * 8
    assert made == [1]
    assert store._making == {}


def test_what_could_not_be_made_is_tried_again(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 10**6)

    def fail() -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        store.read_or_make(name(1), fail)
    assert store.read_or_make(name(1), lambda: b"there") == b"there"


def _hammer(folder: Path, seed: int, wrong: Callable[[int], None]) -> None:
    store = LightStore(folder, 60 * _KILOBYTE)
    for turn in range(150):
        number = (seed * 7 + turn * 3) % 40
        data = store.read_or_make(name(number), lambda number=number: bytes([number]) * 3 * _KILOBYTE)
        if data != bytes([number]) * 3 * _KILOBYTE:
            wrong(number)


def test_several_processes_with_a_full_cache_never_read_anything_wrong(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    wrong = context.SimpleQueue()
    working = [context.Process(target=_hammer, args=(tmp_path, seed, wrong.put)) for seed in range(3)]
    for process in working:
        process.start()
    for process in working:
        process.join(60)
        assert process.exitcode == 0
    assert wrong.empty()
    assert LightStore(tmp_path, 60 * _KILOBYTE).size <= 60 * _KILOBYTE * (1 + 3 / 20)
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_that_takes_nothing_does_not_keep_anybody_from_hearing(tmp_path: Path) -> None:
    (tmp_path / "light").write_text("a file where the folder should be")
    store = LightStore(tmp_path / "light", 10**6)
    assert store.read_or_make(name(1), lambda: b"sound") == b"sound"


def test_what_a_killed_process_left_half_written_goes(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 1000)
    store.write(name(1), b"x")
    old, fresh = tmp_path / "old.part", tmp_path / "fresh.part"
    for each in (old, fresh):
        each.write_bytes(bytes(500))
    then = time.time() - 3600
    os.utime(old, (then, then))
    store.shrink()
    assert not old.exists() and fresh.exists()


def test_it_can_be_emptied(tmp_path: Path) -> None:
    store = LightStore(tmp_path, 10**6)
    for number in range(3):
        store.write(name(number), bytes(_KILOBYTE))
    held = store.size
    assert store.clear() == held > 3 * _KILOBYTE - 1
    assert store.size == 0
