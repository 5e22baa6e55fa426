"""Intake: every file's content becomes a track exactly once, whatever happens to the file or to the process."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.ingestion.intake import identify
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_tests.bad_input import directory
from resonate_tests.resources.ingestion.watching import Watcher, drop, names
from resonate_tests.tiny_music import music


def lose_database(storage: StorageResource) -> None:
    with transaction(storage.database) as db:
        for table in tables.sorted_tables:
            db.execute(sa.delete(table))


# Exactly once


def test_a_new_file_becomes_a_registered_track_and_is_not_asked_for_again(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav")
    assert names(watcher.ticks(4)) == ["song.wav"]
    source = watcher.storage.sources.find(watcher.asked[0])
    assert source is not None
    assert (source.uri, source.size, source.title) == (str(path), path.stat().st_size, "song")


def test_a_file_that_is_touched_is_not_asked_for_again(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav")
    watcher.ticks(2)
    for when in (1, 2):
        os.utime(path, (when, when))
        watcher.ticks(2)
    assert len(watcher.asked) == 1


def test_a_file_that_is_renamed_is_not_asked_for_again_and_is_found_where_it_is(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav")
    watcher.ticks(2)
    renamed = path.rename(watcher.inbox.folder / "better name.wav")
    watcher.ticks(2)
    assert len(watcher.asked) == 1
    source = watcher.storage.sources.find(watcher.asked[0])
    assert source is not None
    assert source.uri == str(renamed)
    assert source.title == "song"


def test_a_watcher_that_lost_its_cursor_asks_for_nothing_again(watcher: Watcher) -> None:
    for index in range(5):
        drop(watcher.inbox, f"{index}.wav", bytes([index]))
    watcher.ticks(2)
    watcher.cursor = "{}"
    watcher.ticks(3)
    assert len(watcher.asked) == len(set(watcher.asked)) == 5


def test_a_watcher_that_lost_cursor_and_ledger_asks_for_nothing_again(watcher: Watcher) -> None:
    drop(watcher.inbox, "song.wav")
    watcher.ticks(2)
    watcher.cursor = "{}"
    lose_database(watcher.storage)
    watcher.ticks(2)
    assert len(watcher.asked) == 1


def test_a_watcher_that_lost_its_database_knows_a_renamed_file_by_its_content(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav")
    watcher.ticks(2)
    lose_database(watcher.storage)
    path.rename(watcher.inbox.folder / "other name.wav")
    watcher.ticks(2)
    assert len(watcher.asked) == 1


def test_a_watcher_killed_before_dagster_has_its_track_finds_it_though_it_was_renamed_meanwhile(
    watcher: Watcher,
) -> None:
    path = drop(watcher.inbox, "song.wav")
    watcher.look()
    path.rename(watcher.inbox.folder / "other name.wav")
    assert names(watcher.ticks(3)) == ["other name.wav"]


def test_no_look_reads_all_partitions_once_one_is_known(watcher: Watcher) -> None:
    for index in range(5):
        drop(watcher.inbox, f"{index}.wav", bytes([index]))
        watcher.ticks(2)
    assert len(watcher.asked) == 5
    assert watcher.read_all <= 2


def test_of_very_many_growing_files_some_are_kept_in_mind_and_all_are_taken_in_the_end(
    inbox: FolderInbox, storage: StorageResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_resources.ingestion.intake._WAITING", 3)
    watcher = Watcher(inbox, storage)
    for index in range(10):
        drop(inbox, f"{index}.wav", bytes([index]))
    assert all(len(intake.waiting) <= 3 for intake in watcher.ticks(8))
    assert len(set(watcher.asked)) == 10


def test_a_watcher_killed_before_dagster_has_its_tracks_asks_for_them_when_it_is_back(
    watcher: Watcher,
) -> None:
    drop(watcher.inbox, "song.wav")
    assert names([watcher.look()]) == ["song.wav"]
    assert names([watcher.look()]) == ["song.wav"]
    assert names(watcher.ticks(3)) == ["song.wav"]


def test_a_watcher_killed_after_dagster_has_its_tracks_does_not_ask_again(watcher: Watcher) -> None:
    drop(watcher.inbox, "song.wav")
    watcher.partitions += [source.track for source in watcher.look().new]
    assert names(watcher.ticks(3)) == []


def test_changed_content_is_a_new_track_and_the_old_one_stays(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav", b"first version")
    watcher.ticks(2)
    path.write_bytes(music(b"a longer second version"))
    watcher.ticks(2)
    assert len(set(watcher.asked)) == 2
    kept = [watcher.storage.sources.find(track) for track in watcher.asked]
    assert [source and source.size for source in kept] == [
        len(music(b"first version")),
        len(music(b"a longer second version")),
    ]


def test_one_content_under_two_names_in_one_look_is_one_track(watcher: Watcher) -> None:
    drop(watcher.inbox, "a.wav")
    drop(watcher.inbox, "copy of a.wav")
    watcher.ticks(3)
    assert len(watcher.asked) == 1


def test_two_contents_under_one_name_are_two_tracks(watcher: Watcher) -> None:
    drop(watcher.inbox, "cd1/track.wav", b"one")
    drop(watcher.inbox, "cd2/track.wav", b"two")
    watcher.ticks(3)
    assert len(set(watcher.asked)) == 2


def test_the_limit_holds_for_every_look_and_all_files_are_taken_in_the_end(watcher: Watcher) -> None:
    watcher.limit = 3
    for index in range(10):
        drop(watcher.inbox, f"{index:02}.wav", bytes([index]))
    taken = [names([intake]) for intake in watcher.ticks(6)]
    assert [len(each) for each in taken] == [3, 3, 3, 1, 0, 0]
    assert sorted(name for each in taken for name in each) == [f"{index:02}.wav" for index in range(10)]


def test_a_look_that_runs_out_of_time_says_what_it_left_and_the_next_one_takes_it(watcher: Watcher) -> None:
    for index in range(3):
        drop(watcher.inbox, f"{index}.wav", bytes([index]))
    hurried = watcher.look(seconds=0.0)
    assert (names([hurried]), hurried.left) == (["0.wav"], 2)
    assert sorted(names(watcher.ticks(2))) == ["0.wav", "1.wav", "2.wav"]


def test_a_file_that_grows_is_taken_at_its_final_size(inbox: FolderInbox, storage: StorageResource) -> None:
    watcher = Watcher(inbox, storage)
    path = inbox.folder / "song.wav"
    whole = music(b"a song of 20 samples")
    for part in (whole[:16], whole[16:32], whole[32:48], whole[48:]):
        with path.open("ab") as file:
            file.write(part)
        assert names([watcher.tick()]) == []
    assert [source.size for source in watcher.tick().new] == [64]


def test_users_files_are_only_read(watcher: Watcher) -> None:
    paths = [drop(watcher.inbox, name, name.encode()) for name in ("a.wav", "b/c.flac")]
    (watcher.inbox.folder / "gone.wav").symlink_to("nowhere.wav")

    def state() -> list[tuple[str, bytes, int, int]]:
        return [
            (str(path), path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in paths
        ]

    before, entries = state(), sorted(watcher.inbox.folder.rglob("*"))
    watcher.ticks(3)
    assert state() == before
    assert sorted(watcher.inbox.folder.rglob("*")) == entries


# Knowing a file


def test_a_name_that_is_no_utf_8_gives_the_title_that_was_meant(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")  # Latin-1, from an old disk
    path.write_bytes(music())
    source = identify(path, str(path))
    assert source.title == "café"
    assert source.uri == str(path)


def test_a_track_is_known_by_the_hash_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(music())
    known = hashlib.sha256(music()).hexdigest()
    source = identify(path, str(path))
    assert source.sha256 == known
    assert content_of(source.track) == known[:12]


def test_artist_and_title_come_from_the_name_where_there_are_no_tags(tmp_path: Path) -> None:
    path = tmp_path / "Excession: Book 5 - 03 - What? 100%41.wav"
    path.write_bytes(music())
    source = identify(path, str(path))
    assert (source.artist, source.title) == ("Excession: Book 5", "What? 100%41")


@pytest.mark.parametrize("name", ["two\nlines.wav", os.fsdecode(b"\xff.wav"), "tab\tand \x1b[31mred.wav"])
@pytest.mark.parametrize("make", [None, b"", b"no music"], ids=["absent", "empty", "text"])
def test_a_reason_is_one_printable_line_with_what_to_do_whatever_the_name(
    name: str, make: bytes | None, tmp_path: Path
) -> None:
    if make is not None:
        (tmp_path / name).write_bytes(make)
    with pytest.raises(AudioError) as caught:
        identify(tmp_path / name, f"/music/{name}")
    reason = str(caught.value)
    assert reason.isprintable()
    assert ".wav: " in reason
    assert "; " in reason


def test_a_directory_is_told_to_be_one(tmp_path: Path) -> None:
    path = directory(tmp_path)
    with pytest.raises(AudioError, match=r"album\.wav: is a directory"):
        identify(path, str(path))
