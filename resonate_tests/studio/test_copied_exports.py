"""Exports are copied to a place of the user's, where nothing is lost."""

from __future__ import annotations

import errno
import fcntl
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from resonate_resources.exporting.folder import Outgoing, export
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.store import LocalStore, new_directory
from resonate_studio import copied_exports
from resonate_studio.copied_exports import copy_export
from resonate_studio.stopping import scratch_file
from resonate_studio.trouble import trouble

FOLDER = "Band - Song_0123456789ab"
TRACK = "band-song-0123456789ab"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "home")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def exported(store: LocalStore, contents: Mapping[str, bytes], title: str = "Song") -> None:
    """A folder in the store's exports, as the stage makes it."""
    with new_directory(store, "master") as into:
        for name, content in contents.items():
            (into / name).write_bytes(content)
        made = Artefacts(store).keep(
            Product({name: into / name for name in contents}),
            stage="master",
            track=TRACK,
            recipe=Recipe(Engine("test"), {"title": title}),
            reads=[],
            seconds=0.0,
        )
    files = {f"audio/{name}": Outgoing(made, name) for name in contents}
    export(store, TRACK, FOLDER, files, {"title": title})


def there(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_copy_is_the_folder_byte_by_byte(store: LocalStore, output: Path) -> None:
    exported(store, {"vocals.wav": b"voice", "drums.wav": b"beat"})
    assert copy_export(store, TRACK, output) == output / FOLDER
    assert there(output / FOLDER) == there(store.root / "exports" / FOLDER)
    assert set(there(output / FOLDER)) == {"audio/vocals.wav", "audio/drums.wav", "metadata.json"}


def test_of_what_was_not_exported_there_is_no_copy(store: LocalStore, output: Path) -> None:
    assert copy_export(store, "other-0123456789ab", output) is None
    assert not output.exists()


def test_a_copy_that_is_whole_is_left_alone_and_one_that_broke_off_is_finished(
    store: LocalStore, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(store, {"a.wav": b"a", "b.wav": b"b"})
    copied = shutil.copyfile
    names: list[str] = []

    def full(source: Path, target: Path) -> Path:
        names.append(Path(source).name)
        if len(names) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return Path(copied(source, target))

    monkeypatch.setattr(copied_exports.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        copy_export(store, TRACK, output)
    assert set(there(output / FOLDER)) == {"audio/a.wav"}
    copy_export(store, TRACK, output)
    assert names[2:] == ["b.wav", "metadata.json"]
    copy_export(store, TRACK, output)
    assert len(names) == 4


def test_what_is_there_and_differs_is_put_aside_and_what_is_beside_it_stays(
    store: LocalStore, output: Path
) -> None:
    exported(store, {"a.wav": b"a1"})
    copy_export(store, TRACK, output)
    (output / FOLDER / "audio" / "mine.txt").write_text("mine")
    for number in (2, 3):
        exported(store, {"a.wav": f"a{number}".encode()}, f"Song {number}")
        copy_export(store, TRACK, output)
    found = there(output / FOLDER)
    assert {name: content for name, content in found.items() if name.startswith("audio/")} == {
        "audio/a.wav": b"a3",
        "audio/a (earlier).wav": b"a1",
        "audio/a (earlier 2).wav": b"a2",
        "audio/mine.txt": b"mine",
    }
    assert found["metadata.json"] == (store.root / "exports" / FOLDER / "metadata.json").read_bytes()


def test_a_file_where_the_folder_belongs_is_told(store: LocalStore, output: Path) -> None:
    exported(store, {"a.wav": b"a"})
    output.mkdir()
    (output / FOLDER).write_text("mine")
    with pytest.raises(OSError):
        copy_export(store, TRACK, output)
    assert (output / FOLDER).read_text() == "mine"


def test_a_full_disk_is_told_of_the_copy_and_not_of_what_is_copied(
    store: LocalStore, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shutil tells it: the source first."""
    exported(store, {"a.wav": b"a"})

    def full(source: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr(copied_exports.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left") as raised:
        copy_export(store, TRACK, output)
    assert raised.value.filename == str(output / FOLDER / "audio" / "a.wav")
    assert trouble(raised.value).startswith(f"{output / FOLDER}/audio/a.wav: can't be used (no space left")


def test_a_killed_copy_leaves_nothing_once_it_is_made_again(store: LocalStore, output: Path) -> None:
    exported(store, {"a.wav": b"a"})
    (output / FOLDER / "audio").mkdir(parents=True)
    killed = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom resonate_studio.stopping import scratch_file\n"
        "with scratch_file(Path(sys.argv[1])) as part:\n"
        "    part.write_bytes(b'half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    place = output / FOLDER / "audio" / "a.wav"
    subprocess.run([sys.executable, "-c", killed, str(place)], check=False)
    assert len([*place.parent.iterdir()]) == 1
    copy_export(store, TRACK, output)
    assert [path.name for path in place.parent.iterdir()] == ["a.wav"]


def test_what_another_process_is_writing_is_left_to_it(tmp_path: Path) -> None:
    place = tmp_path / "a.wav"
    other = tmp_path / ".a.wav.1.part"
    with other.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with scratch_file(place) as part:
            part.write_bytes(b"a")
        assert other.exists()
    with scratch_file(place) as part:
        part.write_bytes(b"b")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
