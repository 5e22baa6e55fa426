"""Exports: folders that any system can hold, that are copies, and that say truly what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.exports import export, folder_name
from resonate_resources.storage.store import LocalStore, new_directory

FOLDER = "Björk - Jóga_0123456789ab"
SHA256 = hashlib.sha256(b"").hexdigest()
_TEXT = st.none() | st.text(st.characters(), max_size=400)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def keep(store: LocalStore, contents: Mapping[str, bytes], mix: str) -> Artefact:
    """An artefact with those files, made from a mix of that hash."""
    with new_directory(store, "master") as into:
        for name, content in contents.items():
            (into / name).write_bytes(content)
        return Artefacts(store).keep(
            Product({name: into / name for name in contents}),
            stage="master",
            track="song-0123456789ab",
            recipe=Recipe(Engine("test")),
            reads=[Read("mix", mix, {"mix.wav": mix})],
            seconds=0.0,
        )


def files_of(artefact: Artefact) -> dict[str, tuple[Artefact, str]]:
    return {f"audio/{name}": (artefact, name) for name in artefact.manifest.files}


def exported(store: LocalStore) -> dict[str, bytes]:
    """Name → content of everything in the folder but its record."""
    folder = store.root / "exports" / FOLDER
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "metadata.json"
    }


# Names


@given(artist=_TEXT, title=_TEXT)
def test_any_tags_give_a_folder_name_that_every_system_can_hold(
    artist: str | None, title: str | None
) -> None:
    name = folder_name(artist, title, SHA256)
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)  # Windows' and POSIX's reserved characters
    assert name not in (".", "..")
    assert not name.startswith((" ", ".")) and not name.endswith((" ", "."))  # hidden, or cut by Windows
    assert len(name.encode()) <= 255  # ext4's and APFS's limit, in UTF-8
    assert name.endswith(f"_{SHA256[:12]}")


@given(artist=_TEXT, title=_TEXT)
def test_a_folder_of_any_name_is_made_right_below_exports(
    tmp_path_factory: pytest.TempPathFactory, artist: str | None, title: str | None
) -> None:
    root = tmp_path_factory.mktemp("names")
    (root / folder_name(artist, title, SHA256)).mkdir()
    assert len(list(root.iterdir())) == 1


def test_a_folder_is_named_by_artist_title_and_hash() -> None:
    assert folder_name("Björk", "Jóga", SHA256) == "Björk - Jóga_e3b0c44298fc"
    assert folder_name("AC/DC", 'What?  "Live"', SHA256) == "AC DC - What Live_e3b0c44298fc"
    assert folder_name(None, None, SHA256) == "Unknown Artist - Untitled_e3b0c44298fc"


# Folders


def test_an_export_is_the_files_and_a_record_of_them(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    names = export(store, FOLDER, files_of(made), {"track": "song", "source": "/music/Jóga.wav"})
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}
    record = json.loads((store.root / "exports" / FOLDER / "metadata.json").read_text(encoding="utf-8"))
    assert record["source"] == "/music/Jóga.wav"
    assert record["files"]["audio/master.wav"]["sha256"] == hashlib.sha256(b"wave").hexdigest()
    assert names == ["audio/master.wav", "audio/master.mp3", "metadata.json"]


def test_a_source_whose_name_is_no_text_is_recorded_so_that_it_can_be_found(store: LocalStore) -> None:
    source = os.fsdecode(b"/music/\xff.wav")
    export(store, FOLDER, files_of(keep(store, {"a.wav": b"a"}, "k1")), {"source": source})
    assert json.loads(store.read(f"exports/{FOLDER}/metadata.json") or b"")["source"] == source


def test_what_a_user_writes_into_an_export_does_not_reach_the_artefact(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    export(store, FOLDER, files_of(made), {})
    with (store.root / "exports" / FOLDER / "audio/master.wav").open("r+b") as file:
        file.write(b"EDIT")
    assert made.path("master.wav").read_bytes() == b"wave"


def test_a_folder_that_its_owner_emptied_is_filled_again(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    export(store, FOLDER, files_of(made), {})
    (store.root / "exports" / FOLDER / "audio/master.wav").unlink()
    export(store, FOLDER, files_of(made), {})
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}
    store.delete(f"exports/{FOLDER}")
    export(store, FOLDER, files_of(made), {})
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}


def test_a_file_that_is_there_unchanged_is_not_copied_again(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    export(store, FOLDER, files_of(made), {})
    path = store.root / "exports" / FOLDER / "audio/master.wav"
    before = path.stat()
    export(store, FOLDER, files_of(made), {})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_files_of_the_last_export_go_and_files_of_the_user_stay(store: LocalStore) -> None:
    export(store, FOLDER, files_of(keep(store, {"old.wav": b"old", "both.wav": b"1"}, "k1")), {})
    mine = store.root / "exports" / FOLDER / "audio" / "my remix.wav"
    mine.write_bytes(b"mine")
    export(store, FOLDER, files_of(keep(store, {"new.wav": b"new", "both.wav": b"2"}, "k2")), {})
    assert exported(store) == {"audio/new.wav": b"new", "audio/both.wav": b"2", "audio/my remix.wav": b"mine"}


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"files": 3}', b'{"files": {"a": 3}}', b"\xff"])
def test_a_record_that_a_user_has_broken_is_written_anew(store: LocalStore, broken: bytes) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    export(store, FOLDER, files_of(made), {})
    store.write(f"exports/{FOLDER}/metadata.json", broken)
    export(store, FOLDER, files_of(made), {})
    assert list(json.loads(store.read(f"exports/{FOLDER}/metadata.json") or b"")["files"]) == [
        "audio/master.wav"
    ]


@pytest.mark.parametrize("name", ["", "../another/master.wav", "audio/../../another/master.wav", ".."])
def test_a_record_that_a_user_has_edited_removes_nothing_outside_the_folder(
    store: LocalStore, name: str
) -> None:
    store.write("exports/another/master.wav", b"another")
    store.write(f"exports/{FOLDER}/my remix.wav", b"mine")
    store.write(f"exports/{FOLDER}/metadata.json", json.dumps({"files": {name: {"sha256": "0"}}}).encode())
    export(store, FOLDER, files_of(keep(store, {"a.wav": b"a"}, "k1")), {})
    assert exported(store) == {"audio/a.wav": b"a", "my remix.wav": b"mine"}
    assert store.read("exports/another/master.wav") == b"another"


@pytest.mark.parametrize("adopted_before_the_kill", [1, 2, 3])
def test_an_export_killed_while_it_replaces_another_is_never_taken_for_either(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, adopted_before_the_kill: int
) -> None:
    """Two presets give files of equal size: going back to the first must bring back the first's sound."""
    first = keep(store, {"a.wav": b"1111", "b.wav": b"1111", "only1.wav": b"1"}, "k1")
    second = keep(store, {"a.wav": b"2222", "b.wav": b"2222", "only2.wav": b"2"}, "k2")
    export(store, FOLDER, files_of(first), {})
    child = os.fork()
    if child == 0:
        whole = LocalStore.adopt
        left = adopted_before_the_kill

        def adopt(self: LocalStore, file: Path, key: str) -> None:
            nonlocal left
            whole(self, file, key)
            left -= key.endswith(".wav")
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(LocalStore, "adopt", adopt)
        export(store, FOLDER, files_of(second), {})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    export(store, FOLDER, files_of(first), {})
    assert exported(store) == {
        "audio/a.wav": b"1111",
        "audio/b.wav": b"1111",
        "audio/only1.wav": b"1",
    }
