"""A library is scanned: what is in it, what of it is read again, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import soundfile as sf
from moto import mock_aws
from mutagen.id3 import ID3, TALB, TBPM, TCON, TIT2, TKEY, TPE1, TSRC
from mutagen.wave import WAVE

from resonate_resources.exporting.folder import metadata_json
from resonate_resources.exporting.recognised import made_by_us, mark_output
from resonate_resources.ingestion import scanning
from resonate_resources.ingestion.scanning import Scan, is_of_a_library, scan
from resonate_resources.storage.inbox import BucketInbox, FolderInbox
from resonate_resources.storage.scanned import ScannedFile, ScannedLibrary
from resonate_tests.dj_libraries import put_collection, put_crate
from resonate_tests.tiny_music import music

FRAMES = [
    TPE1(encoding=3, text=["Röyksopp"]),
    TIT2(encoding=3, text=["Eple"]),
    TALB(encoding=3, text=["Melody A.M."]),
    TBPM(encoding=3, text=["126"]),
    TKEY(encoding=3, text=["Am"]),
    TCON(encoding=3, text=["Deep House"]),
    TSRC(encoding=3, text=["NOXYZ0100001"]),
]
SAID = {
    "artist": "Röyksopp",
    "title": "Eple",
    "album": "Melody A.M.",
    "bpm": 126.0,
    "key": "Am",
    "genre": "Deep House",
    "isrc": "NOXYZ0100001",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "beside" / "music").mkdir(parents=True)
    return tmp_path / "beside" / "music"


@pytest.fixture
def library(tmp_path: Path, folder: Path) -> ScannedLibrary:
    return ScannedLibrary(f"sqlite:///{tmp_path / 'resonate.sqlite'}", str(folder))


def look(folder: Path, library: ScannedLibrary, *excluded: Path) -> Scan:
    return scan(FolderInbox(folder, is_of_a_library, made_by_us), library, excluded)


def drop(folder: Path, name: str, content: bytes = b"music") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(music(content))
    return path


def tagged(path: Path) -> Path:
    """An MP3 whose tags mutagen wrote."""
    tags = ID3()
    for frame in FRAMES:
        tags.add(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, np.zeros((2000, 1)), 44100, format="MP3")
    tags.save(path)
    return path


def files(library: ScannedLibrary) -> dict[str, ScannedFile]:
    return {Path(file.uri).name: file for file in library.files()}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files whose tags were read."""
    names: list[str] = []
    reading = scanning.read_texts

    def noted(path: Path) -> Any:
        names.append(path.name)
        return reading(path)

    monkeypatch.setattr(scanning, "read_texts", noted)
    return names


def test_tags_that_another_program_wrote_are_in_the_plan(folder: Path, library: ScannedLibrary) -> None:
    tagged(folder / "House" / "a.mp3")
    found = look(folder, library)
    assert (found.files, found.read, found.problems) == (1, 1, ())
    assert files(library)["a.mp3"].tags == SAID


def test_a_second_scan_reads_no_file(folder: Path, library: ScannedLibrary, read: list[str]) -> None:
    for name in "abc":
        drop(folder, f"{name}/{name}.wav")
    crate = put_crate(folder, "Mine", folder / "a" / "a.wav")
    look(folder, library)
    assert sorted(read) == ["a.wav", "b.wav", "c.wav"]
    crate.chmod(0o000)
    found = look(folder, library)
    assert (found.files, found.read, found.gone) == (3, 0, 0)
    assert len(read) == 3


def test_what_was_added_or_changed_is_read_and_is_new_and_the_rest_stays_as_it_is(
    folder: Path, library: ScannedLibrary, read: list[str]
) -> None:
    for name in "ab":
        drop(folder, f"{name}.wav")
    look(folder, library)
    for name in "ab":
        library.note(str(folder / f"{name}.wav"), "done", f"{name}-0123456789ab")
    del read[:]
    drop(folder, "b.wav", b"other music")
    drop(folder, "c.wav")
    look(folder, library)
    assert sorted(read) == ["b.wav", "c.wav"]
    assert {name: file.state for name, file in files(library).items()} == {
        "a.wav": "done",
        "b.wav": "new",
        "c.wav": "new",
    }


def test_a_scan_that_was_killed_goes_on_where_it_was(
    folder: Path, library: ScannedLibrary, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_resources.storage.scanned._CHUNK", 2)
    for number in range(7):
        drop(folder, f"{number}.wav")
    reading = scanning.read_texts

    def killed(path: Path) -> Any:
        if len(read) == 5:
            raise KeyboardInterrupt
        return reading(path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scanning, "read_texts", killed)
        look(folder, library)
    entered = len(library.known())
    assert 2 <= entered < 7
    del read[:]
    assert look(folder, library).read == 7 - entered
    assert len(library.known()) == 7


def test_a_file_that_changes_while_it_is_read_is_read_again_by_the_next_scan(
    folder: Path, library: ScannedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(folder, "a.wav")
    reading = scanning.read_texts

    def meanwhile(read: Path) -> Any:
        found = reading(read)
        tagged(path)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(scanning, "read_texts", meanwhile)
        look(folder, library)
    assert files(library)["a.wav"].tags == {"title": "a"}
    assert look(folder, library).read == 1
    assert files(library)["a.wav"].tags == SAID
    assert look(folder, library).read == 0


def test_a_file_that_went_is_planned_no_more_and_again_when_it_is_back(
    folder: Path, library: ScannedLibrary
) -> None:
    path = drop(folder, "a.wav")
    look(folder, library)
    path.rename(folder.parent / "a.wav")
    assert look(folder, library).gone == 1
    assert library.queue("c1", 9) == []
    assert look(folder, library).gone == 0
    (folder.parent / "a.wav").rename(path)
    assert look(folder, library).read == 0
    assert len(library.queue("c1", 9)) == 1


def test_a_disk_that_was_away_leaving_an_empty_folder_comes_back_with_all_that_was_done(
    folder: Path, library: ScannedLibrary
) -> None:
    for name in "ab":
        drop(folder, f"{name}.wav", name.encode())
    look(folder, library)
    library.note(str(folder / "a.wav"), "done", "a-0123456789ab")
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    assert look(folder, library).gone == 2
    folder.rmdir()
    folder.with_name("away").rename(folder)
    put_crate(folder, "Mine", folder / "a.wav")
    assert look(folder, library).read == 0
    assert {name: (file.state, file.crates) for name, file in files(library).items()} == {
        "a.wav": ("done", ("Mine",)),
        "b.wav": ("new", ()),
    }


def test_a_library_that_is_not_mounted_is_told_and_nothing_of_it_is_gone(
    folder: Path, library: ScannedLibrary
) -> None:
    drop(folder, "a.wav")
    look(folder, library)
    folder.rename(folder.with_name("away"))
    found = look(folder, library)
    assert [str(folder) in line for line in found.problems] == [True]
    assert len(library.queue("c1", 9)) == 1


def test_a_folder_that_may_not_be_read_is_told_and_what_is_in_it_is_not_gone(
    folder: Path, library: ScannedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patched, as nothing is closed to root."""
    drop(folder, "closed/a.wav")
    drop(folder, "open/b.wav")
    look(folder, library)
    scandir = os.scandir

    def denied(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("resonate_resources.storage.inbox.os.scandir", denied)
    found = look(folder, library)
    assert [str(folder / "closed") in line for line in found.problems] == [True]
    assert (found.files, found.gone, len(library.known())) == (1, 0, 2)


def test_links_that_lead_round_in_a_circle_end(folder: Path, library: ScannedLibrary) -> None:
    drop(folder, "a/a.wav")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "itself.wav").symlink_to(folder / "itself.wav")
    found = look(folder, library)
    assert sorted(files(library)) == ["a.wav", "itself.wav"]
    assert found.files == 2


def test_names_that_are_no_utf8_are_planned_as_they_are(folder: Path, library: ScannedLibrary) -> None:
    name = os.fsdecode(b"\xfcber \xff.wav")
    drop(folder, name)
    look(folder, library)
    [file] = library.files()
    assert Path(file.uri).is_file()
    assert look(folder, library).read == 0


@pytest.mark.parametrize("by_link", [False, True])
def test_homes_and_outputs_within_a_library_are_not_scanned(
    folder: Path, library: ScannedLibrary, by_link: bool
) -> None:
    drop(folder, "a.wav")
    drop(folder, "out/Band - Song_0123456789ab/vocals.wav")
    drop(folder, "outside/b.wav")
    excluded = folder / "out"
    if by_link:
        excluded = folder.parent / "link"
        excluded.symlink_to(folder / "out")
    look(folder, library, excluded)
    assert sorted(files(library)) == ["a.wav", "b.wav"]


def test_what_resonate_made_is_passed_over_wherever_it_lies_and_told(
    folder: Path, library: ScannedLibrary
) -> None:
    drop(folder, "House/Song.wav")
    drop(folder, "House/Song_Live.wav")
    for name in ("House/Song_Vocals.wav", "House/Song_Drums.wav", "Band - Song_0123456789ab/midi/master.wav"):
        drop(folder, name)
    (folder / "House" / "Song_Provenance.json").write_text("{}")
    facts = {"resonate": "1.0", "track": "song-0123456789ab", "source": "/music/Song.wav"}
    (folder / "Band - Song_0123456789ab" / "metadata.json").write_bytes(metadata_json(facts, {}, {}))
    drop(folder, "Album/a.wav")
    (folder / "Album" / "metadata.json").write_text('{"track": 1}')
    (folder / "out").mkdir()
    mark_output(folder / "out")
    drop(folder, "out/half copied_0123456789ab/vocals.wav")
    found = look(folder, library)
    assert sorted(files(library)) == ["Song.wav", "Song_Live.wav", "a.wav"]
    assert (found.files, found.own, found.passed_over) == (3, 4, 0)


def test_an_output_in_which_something_lies_already_is_not_taken_for_ours(tmp_path: Path) -> None:
    drop(tmp_path, "a.wav")
    mark_output(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_library_that_lies_in_a_home_is_scanned(folder: Path, library: ScannedLibrary) -> None:
    drop(folder, "a.wav")
    assert look(folder, library, folder.parent, folder).files == 1


def test_what_is_in_crates_and_playlists_comes_first(folder: Path, library: ScannedLibrary) -> None:
    for name in "abc":
        drop(folder, f"{name}.wav", name.encode())
    put_crate(folder, "House%%Deep", folder / "b.wav")
    put_collection(folder.parent / "rekordbox.xml", "Peak", folder / "b.wav", folder / "c.wav")
    look(folder, library)
    found = files(library)
    assert [found[f"{name}.wav"].crates for name in "abc"] == [(), ("House/Deep", "Peak"), ("Peak",)]
    assert found["b.wav"].priority == found["c.wav"].priority > found["a.wav"].priority


def test_files_that_leave_a_crate_or_come_into_one_are_planned_anew_without_being_read(
    folder: Path, library: ScannedLibrary, read: list[str]
) -> None:
    for name in "ab":
        drop(folder, f"{name}.wav", name.encode())
    put_crate(folder, "Mine", folder / "a.wav")
    look(folder, library)
    before = files(library)
    put_crate(folder, "Mine", folder / "b.wav", folder / "nowhere.wav")
    assert look(folder, library).read == 0
    after = files(library)
    assert (after["a.wav"].crates, after["b.wav"].crates) == ((), ("Mine",))
    assert after["b.wav"].priority == before["a.wav"].priority
    assert after["a.wav"].priority == before["b.wav"].priority


def test_a_changed_file_stays_in_its_crates(folder: Path, library: ScannedLibrary) -> None:
    drop(folder, "a.wav")
    put_crate(folder, "Mine", folder / "a.wav")
    look(folder, library)
    drop(folder, "a.wav", b"other music")
    look(folder, library)
    assert files(library)["a.wav"].crates == ("Mine",)


def test_a_broken_crate_is_told_at_every_scan(folder: Path, library: ScannedLibrary) -> None:
    drop(folder, "a.wav")
    put_crate(folder, "Mine", folder / "a.wav").write_bytes(b"vrsn")
    for _ in range(2):
        [line] = look(folder, library).problems
        assert line.startswith("Mine.crate: ")


def test_files_of_a_crate_that_are_not_there_are_counted_at_every_scan(
    folder: Path, library: ScannedLibrary
) -> None:
    outside = drop(folder.parent, "outside.wav")
    for name in ("a.wav", "b.wav"):
        drop(folder, name)
    put_crate(folder, "Mine", folder / "a.wav", folder / "b.wav", outside, folder / "nowhere.wav")
    put_crate(folder, "Whole", folder / "a.wav")
    for _ in range(2):
        assert look(folder, library).problems == ("Mine: 1 of its 4 files not found",)
    (folder / "b.wav").unlink()
    assert look(folder, library).problems == ("Mine: 2 of its 4 files not found",)


def test_lying_tags_are_told_and_stop_nothing(folder: Path, library: ScannedLibrary) -> None:
    path = drop(folder, "a.wav", bytes(100))
    wave = WAVE(path)
    wave.add_tags()
    wave.tags.add(TBPM(encoding=3, text=["fast"]))
    wave.tags.add(TKEY(encoding=3, text=["H#"]))
    wave.save()
    look(folder, library)
    assert files(library)["a.wav"].notes == ("BPM 'fast': is no tempo", "key 'H#': is no key")


def test_what_is_no_audio_is_counted_and_what_lies_beside_music_is_not(
    folder: Path, library: ScannedLibrary
) -> None:
    for name in ("a.wav", "songs.zip", "no ending", "cover.jpg", "feed.xml", ".hidden.wav"):
        drop(folder, name)
    put_crate(folder, "Mine")
    drop(folder, "_Serato_/database V2")
    found = look(folder, library)
    assert (found.files, found.passed_over) == (1, 2)


# The bucket


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        made.create_bucket(Bucket="music")
        yield made


def test_of_a_big_object_only_beginning_and_end_are_fetched_for_its_tags(
    client: Any, library: ScannedLibrary, tmp_path: Path
) -> None:
    front = tagged(tmp_path / "front.mp3")
    with front.open("ab") as file:
        file.write(bytes(3_000_000))
    sf.write(tmp_path / "behind.wav", np.zeros(2_000_000, np.int16), 44100)
    behind = WAVE(tmp_path / "behind.wav")
    behind.add_tags()
    for frame in FRAMES:
        behind.tags.add(frame)
    behind.save()
    for path in (front, tmp_path / "behind.wav"):
        client.upload_file(str(path), "music", f"in/{path.name}")
    fetched = []
    client.meta.events.register(
        "after-call.s3.GetObject", lambda parsed, **_: fetched.append(parsed["ContentLength"])
    )
    place = BucketInbox(client, "s3://music/in", is_of_a_library)
    assert scan(place, library).files == 2
    assert {name: file.tags for name, file in files(library).items()} == {
        "front.mp3": SAID,
        "behind.wav": SAID,
    }
    assert sum(fetched) < 3_000_000
    assert scan(place, library).read == 0


def test_an_object_that_goes_while_it_is_scanned_stops_nothing(
    client: Any, library: ScannedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        client.put_object(Bucket="music", Key=name, Body=music(name.encode()))
    place = BucketInbox(client, "s3://music", is_of_a_library)
    seen = list(place.look())
    monkeypatch.setattr(place, "look", lambda _: iter(seen))
    client.delete_object(Bucket="music", Key="a.wav")
    assert scan(place, library).files == 2
