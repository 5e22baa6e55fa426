"""The local store: atomic, and tidy after the dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resonate_resources.storage.store import LocalStore, new_directory


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


def test_what_is_written_is_read(store: LocalStore) -> None:
    store.write("a/b.json", b"one")
    store.write("a/b.json", b"two")
    assert store.read("a/b.json") == b"two"
    assert store.size("a/b.json") == 3
    assert [(entry.key, entry.size) for entry in store.entries("a")] == [("a/b.json", 3)]


def test_what_is_not_there_is_none_or_said_to_be_missing(store: LocalStore) -> None:
    assert store.read("nothing") is None
    assert store.size("nothing") is None
    assert list(store.entries("nothing")) == []
    store.delete("nothing")
    with pytest.raises(FileNotFoundError):
        store.fetch("nothing")


def test_a_folder_is_deleted_with_all_below_it(store: LocalStore) -> None:
    store.write("a/b", b"")
    store.write("a/c/d", b"")
    store.delete("a")
    assert list(store.entries("a")) == []


def test_a_write_that_fails_leaves_the_old_bytes_and_nothing_else(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("stems/manifest.json", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write("stems/manifest.json", b"new")
    assert store.read("stems/manifest.json") == b"old"
    assert [entry.key for entry in store.entries("")] == ["stems/manifest.json"]


def test_a_new_directory_goes_with_its_block_even_when_that_fails(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="no"), new_directory(store, "stems") as into:
        (into / "half.wav").write_bytes(b"")
        raise ValueError("no")
    assert not into.exists()


def test_what_a_killed_process_left_goes_when_the_next_one_starts(store: LocalStore) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = store.workspace() / f"{dead.pid}-stems-x"
    leftover.mkdir(parents=True)
    with new_directory(store, "midi") as first, new_directory(store, "mix"):
        assert not leftover.exists()
        assert first.exists()


def test_what_a_living_process_works_on_stays_whatever_its_process_id_seems_to_be(store: LocalStore) -> None:
    """In another container with the same volume, the id is another's or nobody's."""
    with new_directory(store, "stems") as into:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        elsewhere = into.rename(into.with_name(f"{dead.pid}-stems-x"))
        with new_directory(store, "midi"):
            assert elsewhere.is_dir()
    with new_directory(store, "midi"):
        assert not elsewhere.exists()
