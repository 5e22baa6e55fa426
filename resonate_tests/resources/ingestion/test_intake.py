"""Intake: every file's content becomes a track exactly once, whatever happens to the file or to the process."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.ingestion.intake import Intake, Partitions, identify, take_in, unreadable
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_tests.bad_input import dangling_link, directory, pipe


class Watcher:
    """Looks again and again, as a sensor does; its cursor goes through JSON, as Dagster's."""

    def __init__(self, inbox: FolderInbox, storage: StorageResource, limit: int = 10) -> None:
        self.inbox, self.storage, self.limit = inbox, storage, limit
        self.partitions: list[str] = []
        self.cursor = "{}"
        self.read_all = 0
        """How often all partitions were read."""
        self.asked: list[str] = []
        """Tracks of every run that was asked for."""

    def has(self, track: str) -> bool:
        return track in self.partitions

    def all(self) -> list[str]:
        self.read_all += 1
        return self.partitions

    def look(self, seconds: float = 30.0) -> Intake:
        """A look of which nothing is handed on."""
        last = json.loads(self.cursor)
        return take_in(
            self.inbox,
            self.storage,
            Partitions(self.has, self.all),
            waiting=last.get("waiting", {}),
            emitted={uri: (stamp, track) for uri, (stamp, track) in last.get("emitted", {}).items()},
            limit=self.limit,
            seconds=seconds,
        )

    def tick(self) -> Intake:
        intake = self.look()
        self.partitions += [source.track for source in intake.new]
        self.asked += [source.track for source in intake.new]
        self.cursor = json.dumps({"waiting": intake.waiting, "emitted": intake.emitted})
        return intake

    def ticks(self, count: int) -> list[Intake]:
        return [self.tick() for _ in range(count)]


@pytest.fixture
def watcher(inbox: FolderInbox, storage: StorageResource, files_lie_still: None) -> Watcher:
    return Watcher(inbox, storage)


def drop(inbox: FolderInbox, name: str, content: bytes = b"music") -> Path:
    path = inbox.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lose_database(storage: StorageResource) -> None:
    with transaction(storage.database) as db:
        for table in tables.sorted_tables:
            db.execute(sa.delete(table))


def names(intakes: Iterable[Intake]) -> list[str]:
    return [source.name for intake in intakes for source in intake.new]


# Exactly once


def test_a_new_file_becomes_a_registered_track_and_is_not_asked_for_again(watcher: Watcher) -> None:
    path = drop(watcher.inbox, "song.wav")
    assert names(watcher.ticks(4)) == ["song.wav"]
    source = watcher.storage.sources.find(watcher.asked[0])
    assert source is not None
    assert (source.uri, source.size, source.title) == (str(path), 5, "song")


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
    path.write_bytes(b"second version")
    watcher.ticks(2)
    assert len(set(watcher.asked)) == 2
    kept = [watcher.storage.sources.find(track) for track in watcher.asked]
    assert [source and source.size for source in kept] == [len(b"first version"), len(b"second version")]


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
    path = drop(inbox, "song.wav", b"")
    for _ in range(4):
        with path.open("ab") as file:
            file.write(b"part")
        assert names([watcher.tick()]) == []
    assert [source.size for source in watcher.tick().new] == [16]


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


# What can't be read


def test_what_cannot_be_read_is_told_once_and_the_others_go_on(watcher: Watcher) -> None:
    dangling_link(watcher.inbox.folder)
    pipe(watcher.inbox.folder)
    drop(watcher.inbox, "song.wav")
    first, *later = watcher.ticks(4)
    assert names([first]) == ["song.wav"]
    assert sorted(rejection.reason for rejection in first.rejected) == [
        "link.wav: is a link to a file that is not there",
        "pipe.wav: can't be read (not a regular file)",
    ]
    assert [rejection for intake in later for rejection in intake.rejected] == []
    assert len(watcher.storage.sources.rejections()) == 2


def test_a_link_to_itself_is_told_and_the_others_go_on(watcher: Watcher) -> None:
    (watcher.inbox.folder / "round.wav").symlink_to("round.wav")
    drop(watcher.inbox, "song.wav")
    intake = watcher.tick()
    assert names([intake]) == ["song.wav"]
    assert [rejection.reason for rejection in intake.rejected] == [
        "round.wav: can't be read (too many levels of symbolic links)"
    ]


def test_a_rejected_file_is_looked_at_again_when_it_changes_and_then_is_no_longer_rejected(
    watcher: Watcher,
) -> None:
    link = dangling_link(watcher.inbox.folder)
    watcher.ticks(2)
    shutil.copy(drop(watcher.inbox, "../elsewhere.wav"), link.readlink())
    assert sorted(names(watcher.ticks(2))) == ["gone.wav"]
    assert watcher.storage.sources.rejections() == []


def test_a_machine_out_of_room_rejects_nothing_and_the_next_look_takes_the_file(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(watcher.inbox, "song.wav")

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("resonate_resources.ingestion.intake.TemporaryDirectory", full)
        with pytest.raises(OSError, match="No space left"):
            watcher.tick()
    assert watcher.storage.sources.rejections() == []
    assert names(watcher.ticks(2)) == ["song.wav"]


# Knowing a file


def test_a_name_that_is_no_text_still_gives_a_title_that_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")  # Latin-1, from an old disk
    path.write_bytes(b"music")
    source = identify(path, str(path))
    assert source.title == "caf\ufffd"
    assert source.uri == str(path)


def test_a_track_is_known_by_the_hash_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    source = identify(path, str(path))
    assert source.sha256 == known
    assert content_of(source.track) == known[:12]


@pytest.mark.parametrize("name", ["two\nlines.wav", os.fsdecode(b"\xff.wav"), "tab\tand \x1b[31mred.wav"])
@pytest.mark.parametrize(
    "error", [PermissionError(13, "no"), FileNotFoundError(2, "no"), IsADirectoryError()]
)
def test_a_reason_is_one_printable_line_whatever_the_name(name: str, error: OSError) -> None:
    reason = unreadable(f"/music/{name}", error).reason
    assert reason.isprintable()
    assert ".wav: " in reason


def test_a_file_that_is_gone_is_told_to_be(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        identify(tmp_path / "gone.wav", "/music/gone.wav")
    assert unreadable("/music/gone.wav", caught.value).reason == "gone.wav: does not exist"


def test_a_directory_is_told_to_be_one(tmp_path: Path) -> None:
    path = directory(tmp_path)
    with pytest.raises(IsADirectoryError, match=r"album\.wav: is a directory"):
        identify(path, str(path))


# Rejected, and a partition no more


@pytest.mark.parametrize("look_between", [True, False])
def test_content_that_could_not_be_decoded_is_not_tried_again_though_its_partition_is_gone(
    watcher: Watcher, look_between: bool
) -> None:
    path = drop(watcher.inbox, "song.wav")
    watcher.tick()
    if look_between:
        watcher.tick()  # enters the file in the ledger
    (track,) = watcher.partitions
    watcher.storage.sources.reject(Rejection(str(path), "song.wav: is cut off", track))
    watcher.partitions.clear()
    watcher.ticks(2)
    path.touch()
    watcher.ticks(2)
    path.rename(watcher.inbox.folder / "another name.wav")
    watcher.ticks(3)
    assert watcher.asked == [track]
    drop(watcher.inbox, "song.wav", b"whole music")
    watcher.ticks(2)
    assert len(watcher.asked) == 2
