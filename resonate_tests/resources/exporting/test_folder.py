"""Exports: folders that any system can hold, that are copies, and that say truly what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resonate_resources.exporting.folder import (
    MIRRORED_LIBRARY,
    Exported,
    Outgoing,
    export,
    forget,
    mirrored_names,
)
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read
from resonate_resources.storage.store import LocalStore, new_directory

FOLDER = "Björk - Jóga_0123456789ab"
TRACK = "song-0123456789ab"


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


def sent(
    store: LocalStore, artefact: Artefact, facts: Mapping[str, Json] | None = None, into: str = "audio/"
) -> Exported:
    """All files of an artefact exported into the folder."""
    files = {f"{into}{name}": Outgoing(artefact, name) for name in artefact.manifest.files}
    return export(store, TRACK, FOLDER, files, facts or {})


def exported(store: LocalStore) -> dict[str, bytes]:
    """Name → content of everything in the folder but its record."""
    folder = store.root / "exports" / FOLDER
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "metadata.json"
    }


def test_an_export_is_the_files_and_a_record_of_them(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    found = sent(store, made, {"track": "song", "source": "/music/Jóga.wav"})
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}
    record = json.loads((store.root / "exports" / FOLDER / "metadata.json").read_text(encoding="utf-8"))
    assert record["source"] == "/music/Jóga.wav"
    assert record["files"]["audio/master.wav"]["sha256"] == hashlib.sha256(b"wave").hexdigest()
    assert found == Exported(
        {name: hashlib.sha256(content).hexdigest() for name, content in exported(store).items()}, (), ()
    )


def test_a_source_whose_name_is_no_text_is_recorded_so_that_it_can_be_found(store: LocalStore) -> None:
    source = os.fsdecode(b"/music/\xff.wav")
    sent(store, keep(store, {"a.wav": b"a"}, "k1"), {"source": source})
    assert json.loads(store.read(f"exports/{FOLDER}/metadata.json") or b"")["source"] == source


def test_what_a_user_writes_into_an_export_does_not_reach_the_artefact(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    sent(store, made)
    with (store.root / "exports" / FOLDER / "audio/master.wav").open("r+b") as file:
        file.write(b"EDIT")
    assert made.path("master.wav").read_bytes() == b"wave"


def test_a_folder_that_its_owner_emptied_is_filled_again(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    sent(store, made)
    (store.root / "exports" / FOLDER / "audio/master.wav").unlink()
    sent(store, made)
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}
    store.delete(f"exports/{FOLDER}")
    sent(store, made)
    assert exported(store) == {"audio/master.wav": b"wave", "audio/master.mp3": b"mp3"}


def test_a_file_that_is_there_unchanged_is_not_copied_again(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    sent(store, made)
    path = store.root / "exports" / FOLDER / "audio/master.wav"
    before = path.stat()
    sent(store, made)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_files_of_the_last_export_go_and_files_of_the_user_stay(store: LocalStore) -> None:
    sent(store, keep(store, {"old.wav": b"old", "both.wav": b"1"}, "k1"))
    mine = store.root / "exports" / FOLDER / "audio" / "my remix.wav"
    mine.write_bytes(b"mine")
    sent(store, keep(store, {"new.wav": b"new", "both.wav": b"2"}, "k2"))
    assert exported(store) == {"audio/new.wav": b"new", "audio/both.wav": b"2", "audio/my remix.wav": b"mine"}


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"folder": 3}', b'{"folder": "", "left": {"a": 3}, "coming": {}}', b"\xff"]
)
def test_a_damaged_record_loses_nothing_and_takes_for_ours_what_is_to_the_byte(
    store: LocalStore, broken: bytes
) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    sent(store, made)
    (store.root / "exports" / FOLDER / "audio/master.mp3").write_bytes(b"cues")
    store.write(f"exported/{TRACK}.json", broken)
    found = sent(store, made)
    assert exported(store) == {
        "audio/master.wav": b"wave",
        "audio/master.mp3": b"mp3",
        "audio/master (edited).mp3": b"cues",
    }
    assert found.aside == ("audio/master (edited).mp3",)


def test_a_metadata_file_that_a_user_has_changed_is_put_aside_and_written_anew(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave"}, "k1")
    sent(store, made)
    store.write(f"exports/{FOLDER}/metadata.json", b"my notes")
    sent(store, made)
    record = json.loads(store.read(f"exports/{FOLDER}/metadata.json") or b"")
    assert list(record["files"]) == ["audio/master.wav"]
    assert store.read(f"exports/{FOLDER}/metadata (edited).json") == b"my notes"
    forget(store, TRACK)
    assert exported(store) == {"metadata (edited).json": b"my notes"}


# What others change


def test_a_file_that_was_changed_is_left_as_long_as_what_it_was_made_from_is_the_same(
    store: LocalStore,
) -> None:
    """A DJ's program writes cue points into a file: of the same size here, as a program may well do."""
    made = keep(store, {"master.mp3": b"mp3.", "master.wav": b"wave"}, "k1")
    sent(store, made)
    (store.root / "exports" / FOLDER / "audio/master.mp3").write_bytes(b"cues")
    for _ in range(2):
        found = sent(store, made)
        assert exported(store) == {"audio/master.mp3": b"cues", "audio/master.wav": b"wave"}
        assert (found.edited, found.aside) == (("audio/master.mp3",), ())
    (store.root / "exports" / FOLDER / "audio/master.mp3").unlink()
    assert sent(store, made).edited == ()
    assert exported(store)["audio/master.mp3"] == b"mp3."


def test_a_file_that_was_changed_gives_way_to_what_is_new_and_is_not_lost(store: LocalStore) -> None:
    sent(store, keep(store, {"master.mp3": b"one"}, "k1"))
    path = store.root / "exports" / FOLDER / "audio/master.mp3"
    path.write_bytes(b"one, with cues")
    assert sent(store, keep(store, {"master.mp3": b"two"}, "k2")).aside == ("audio/master (edited).mp3",)
    path.write_bytes(b"two, with cues")
    assert sent(store, keep(store, {"master.mp3": b"three"}, "k3")).aside == ("audio/master (edited 2).mp3",)
    assert exported(store) == {
        "audio/master.mp3": b"three",
        "audio/master (edited).mp3": b"one, with cues",
        "audio/master (edited 2).mp3": b"two, with cues",
    }


def test_a_file_that_was_only_touched_counts_as_ours(store: LocalStore) -> None:
    made = keep(store, {"master.mp3": b"one"}, "k1")
    sent(store, made)
    os.utime(store.root / "exports" / FOLDER / "audio/master.mp3", (1, 1))
    assert sent(store, made).edited == ()
    assert sent(store, keep(store, {"master.mp3": b"two"}, "k2")).aside == ()
    assert exported(store) == {"audio/master.mp3": b"two"}


def test_a_track_with_a_new_name_moves_and_leaves_only_what_others_made(store: LocalStore) -> None:
    made = keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1")
    sent(store, made)
    (store.root / "exports" / FOLDER / "audio/master.mp3").write_bytes(b"cues")
    export(store, TRACK, "Björk - Joga_0123456789ab", {"master.wav": Outgoing(made, "master.wav")}, {})
    assert exported(store) == {"audio/master.mp3": b"cues"}
    assert not (store.root / "exports" / FOLDER / "metadata.json").exists()
    assert store.read("exports/Björk - Joga_0123456789ab/master.wav") == b"wave"


def test_a_track_that_is_forgotten_takes_its_files_with_it_and_no_others(store: LocalStore) -> None:
    sent(store, keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1"))
    mine = store.root / "exports" / FOLDER / "audio" / "my remix.wav"
    mine.write_bytes(b"mine")
    forget(store, TRACK, keep_files=True)
    assert set(exported(store)) == {"audio/master.wav", "audio/master.mp3", "audio/my remix.wav"}
    mine.unlink()
    (store.root / "exports" / FOLDER / "audio/master.wav").unlink()
    (store.root / "exports" / FOLDER / "audio/master.mp3").unlink()
    sent(store, keep(store, {"master.wav": b"wave", "master.mp3": b"mp3"}, "k1"))
    forget(store, TRACK)
    assert not (store.root / "exports" / FOLDER).exists()
    assert not (store.root / f"exported/{TRACK}.json").exists()


@pytest.mark.parametrize("adopted_before_the_kill", [1, 2, 3])
def test_an_export_killed_while_it_replaces_another_is_never_taken_for_either(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, adopted_before_the_kill: int
) -> None:
    """Two presets give files of equal size: going back to the first must bring back the first's sound."""
    first = keep(store, {"a.wav": b"1111", "b.wav": b"1111", "only1.wav": b"1"}, "k1")
    second = keep(store, {"a.wav": b"2222", "b.wav": b"2222", "only2.wav": b"2"}, "k2")
    sent(store, first)
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
        sent(store, second)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    sent(store, first)
    assert exported(store) == {
        "audio/a.wav": b"1111",
        "audio/b.wav": b"1111",
        "audio/only1.wav": b"1",
    }


def killed_in_the_midst(store: LocalStore, made: Artefact, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that dies as it is about to put its first file into the folder."""
    child = os.fork()
    if child == 0:
        whole = LocalStore.adopt

        def adopt(self: LocalStore, file: Path, key: str) -> None:
            if key.startswith("exports/"):
                os.kill(os.getpid(), signal.SIGKILL)
            whole(self, file, key)

        monkeypatch.setattr(LocalStore, "adopt", adopt)
        sent(store, made)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("then", ["export", "remove"])
def test_what_somebody_edits_after_an_export_was_killed_is_not_lost(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    sent(store, keep(store, {"a.wav": b"1111", "b.wav": b"1111"}, "k1"))
    second = keep(store, {"a.wav": b"2222", "b.wav": b"2222"}, "k2")
    killed_in_the_midst(store, second, monkeypatch)
    (store.root / "exports" / FOLDER / "audio/b.wav").write_bytes(b"EDIT")
    if then == "remove":
        forget(store, TRACK)
        assert exported(store) == {"audio/b.wav": b"EDIT"}
    else:
        sent(store, second)
        assert exported(store) == {
            "audio/a.wav": b"2222",
            "audio/b.wav": b"2222",
            "audio/b (edited).wav": b"EDIT",
        }


def test_what_is_edited_while_an_export_is_made_is_not_written_over(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(store, keep(store, {"a.wav": b"1111"}, "k1"))
    path = store.root / "exports" / FOLDER / "audio/a.wav"
    whole = Outgoing.copy

    def copy(self: Outgoing, to: Path) -> None:
        whole(self, to)
        path.write_bytes(b"EDIT")

    monkeypatch.setattr(Outgoing, "copy", copy)
    sent(store, keep(store, {"a.wav": b"2222"}, "k2"))
    assert exported(store) == {"audio/a.wav": b"2222", "audio/a (edited).wav": b"EDIT"}


def test_an_edit_that_keeps_size_and_time_is_not_written_over(store: LocalStore) -> None:
    sent(store, keep(store, {"a.wav": b"1111"}, "k1"))
    path = store.root / "exports" / FOLDER / "audio/a.wav"
    before = path.stat()
    path.write_bytes(b"EDIT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    sent(store, keep(store, {"a.wav": b"2222"}, "k2"))
    assert exported(store) == {"audio/a.wav": b"2222", "audio/a (edited).wav": b"EDIT"}


def test_a_folder_that_stands_where_a_file_of_ours_was_is_put_aside_and_never_removed(
    store: LocalStore,
) -> None:
    sent(store, keep(store, {"a.wav": b"1"}, "k1"))
    place = store.root / "exports" / FOLDER / "audio/a.wav"
    place.unlink()
    place.mkdir()
    (place / "mine").write_bytes(b"mine")
    sent(store, keep(store, {"a.wav": b"2"}, "k2"))
    assert exported(store) == {"audio/a.wav": b"2", "audio/a (edited).wav/mine": b"mine"}
    forget(store, TRACK)
    assert exported(store) == {"audio/a (edited).wav/mine": b"mine"}


def test_links_are_somebodys_and_what_they_lead_to_is_left_alone(store: LocalStore, tmp_path: Path) -> None:
    sent(store, keep(store, {"a.wav": b"1", "b.wav": b"1"}, "k1"))
    folder = store.root / "exports" / FOLDER
    (folder / "audio").rename(tmp_path / "elsewhere")
    (folder / "audio").symlink_to(tmp_path / "elsewhere")
    forget(store, TRACK)
    assert (tmp_path / "elsewhere/a.wav").read_bytes() == b"1"
    sent(store, keep(store, {"c.wav": b"1"}, "k3"), into="")
    (folder / "c.wav").unlink()
    (folder / "c.wav").symlink_to(tmp_path / "not mounted")
    sent(store, keep(store, {"c.wav": b"2"}, "k4"), into="")
    assert (folder / "c (edited).wav").is_symlink()
    assert (folder / "c.wav").read_bytes() == b"2"


def test_what_stands_in_the_way_is_told_in_one_line_and_the_others_are_exported(store: LocalStore) -> None:
    folder = store.root / "exports" / FOLDER
    folder.mkdir(parents=True)
    (folder / "audio").write_bytes(b"mine")
    made = keep(store, {"a.wav": b"1"}, "k1")
    files = {"audio/a.wav": Outgoing(made, "a.wav"), "a.wav": Outgoing(made, "a.wav")}
    with pytest.raises(AudioError, match=r"audio/a\.wav: something else stands where its folder belongs"):
        export(store, TRACK, FOLDER, files, {})
    assert exported(store) == {"audio": b"mine", "a.wav": b"1"}
    (folder / "audio").unlink()
    export(store, TRACK, FOLDER, files, {})
    assert exported(store) == {"audio/a.wav": b"1", "a.wav": b"1"}


def test_files_that_were_kept_when_the_track_was_removed_are_ours_again(store: LocalStore) -> None:
    made = keep(store, {"a.wav": b"1"}, "k1")
    sent(store, made)
    forget(store, TRACK, keep_files=True)
    assert sent(store, made).aside == ()
    forget(store, TRACK)
    assert not (store.root / "exports" / FOLDER).exists()


def test_two_that_export_the_same_at_once_leave_it_whole_and_nothing_beside_it(store: LocalStore) -> None:
    sent(store, keep(store, {f"{number}.wav": b"1" for number in range(5)}, "k1"))
    second = keep(store, {f"{number}.wav": b"2" for number in range(5)}, "k2")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: sent(store, second), range(4)))
    assert all(each.aside == each.edited == () for each in found)
    assert exported(store) == {f"audio/{number}.wav": b"2" for number in range(5)}


def mirror(store: LocalStore, track: str, path: str, content: bytes, name: str = "Intro") -> Exported:
    """Stems of a track in the mirrored library, of which all content tells which track's they are."""
    artefact = keep(
        store, {f"{name}_Vocals.wav": content, f"{name}_Provenance.json": content}, path + content.decode()
    )
    files = {each: Outgoing(artefact, each) for each in artefact.manifest.files}
    return export(store, track, "", files, None, MIRRORED_LIBRARY, path=path)


def digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def mirrored(store: LocalStore) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store.root / "mirrored").iterdir()}


def test_names_in_the_mirrored_library_that_another_track_holds_are_told_apart_and_never_called_edited(
    store: LocalStore,
) -> None:
    house, techno = "/lib/House/Intro.wav", "/lib/Techno/INTRO.wav"
    apart = f"INTRO~{digits(techno)}"
    for number in (b"1", b"2", b"3"):  # as with settings that change by turns
        found = mirror(store, "house-0123456789ab", house, b"house" + number)
        assert (found.edited, found.aside) == ((), ())
        found = mirror(store, "techno-0123456789ab", techno, b"techno" + number, "INTRO")
        assert (found.edited, found.aside) == ((), ())
        assert mirrored(store) == {
            "Intro_Vocals.wav": b"house" + number,
            "Intro_Provenance.json": b"house" + number,
            f"{apart}_Vocals.wav": b"techno" + number,
            f"{apart}_Provenance.json": b"techno" + number,
        }
    assert mirrored_names(store, "techno-0123456789ab") == [f"{apart}_Vocals.wav", f"{apart}_Provenance.json"]


def test_a_name_in_the_mirrored_library_is_held_though_its_files_were_taken_away(store: LocalStore) -> None:
    mirror(store, "a-0123456789ab", "/a/Intro.wav", b"a")
    for path in (store.root / "mirrored").iterdir():
        path.unlink()
    mirror(store, "b-0123456789ab", "/b/Intro.wav", b"b")
    mirror(store, "a-0123456789ab", "/a/Intro.wav", b"a")
    assert mirrored(store)["Intro_Vocals.wav"] == b"a"
    assert mirrored(store)[f"Intro~{digits('/b/Intro.wav')}_Vocals.wav"] == b"b"


def test_a_track_keeps_its_name_in_the_mirrored_library_and_what_is_free_again_is_given_to_the_next(
    store: LocalStore,
) -> None:
    for name in "ab":
        mirror(store, f"{name}-0123456789ab", f"/{name}/Intro.wav", name.encode())
    forget(store, "a-0123456789ab")
    mirror(store, "b-0123456789ab", "/b/Intro.wav", b"b2")
    assert set(mirrored(store)) == {
        f"Intro~{digits('/b/Intro.wav')}_{part}" for part in ("Vocals.wav", "Provenance.json")
    }
    mirror(store, "c-0123456789ab", "/c/Intro.wav", b"c")
    assert mirrored(store)["Intro_Vocals.wav"] == b"c"


def test_three_contents_of_one_path_have_three_names_in_the_mirrored_library(store: LocalStore) -> None:
    for name in "abc":
        assert mirror(store, f"{name}-0123456789ab", "/Intro.wav", name.encode()).aside == ()
    voices = {content for name, content in mirrored(store).items() if name.endswith("_Vocals.wav")}
    assert voices == {b"a", b"b", b"c"}


def test_names_of_before_holders_were_written_down_are_their_tracks(store: LocalStore) -> None:
    mirror(store, "a-0123456789ab", "/a/Intro.wav", b"a")
    store.delete("exported/mirrored/names")
    mirror(store, "b-0123456789ab", "/b/Intro.wav", b"b")
    assert mirrored(store)["Intro_Vocals.wav"] == b"a"
    assert len(mirrored(store)) == 4
