"""Intake: every file's content becomes a track exactly once, whatever happens to the file or to the process."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.ingestion.intake import Intake, Partitions, identify, take_in
from resonate_resources.ingestion.track_key import content_of
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_tests.bad_input import REFUSED, Refused, dangling_link, directory, pipe
from resonate_tests.tiny_music import music


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
    path.write_bytes(music(content))
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


# What can't be read


def test_what_cannot_be_read_is_told_once_and_the_others_go_on(watcher: Watcher) -> None:
    dangling_link(watcher.inbox.folder)
    pipe(watcher.inbox.folder)
    drop(watcher.inbox, "song.wav")
    first, *later = watcher.ticks(4)
    assert names([first]) == ["song.wav"]
    assert sorted(rejection.reason for rejection in first.rejected) == [
        "link.wav: is a link to a file that does not exist; restore the file or remove the link",
        "pipe.wav: is not a regular file; give an audio file",
    ]
    assert [rejection for intake in later for rejection in intake.rejected] == []
    assert len(watcher.storage.sources.rejections()) == 2


def test_a_link_to_itself_is_told_and_the_others_go_on(watcher: Watcher) -> None:
    (watcher.inbox.folder / "round.wav").symlink_to("round.wav")
    drop(watcher.inbox, "song.wav")
    intake = watcher.tick()
    assert names([intake]) == ["song.wav"]
    assert [rejection.reason for rejection in intake.rejected] == [
        "round.wav: is a link to a file that does not exist; restore the file or remove the link"
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


def test_what_no_library_should_raise_is_told_in_one_line_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(music())

    def fails(*_: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("resonate_resources.ingestion.intake.track_key", fails)
    with pytest.raises(
        AudioError, match=r"\Aa\.wav: can't be used \(first line second line\); convert [^\n]*\Z"
    ):
        identify(path, str(path))


# One file never ends a batch


@pytest.mark.parametrize(
    "case", [case for case in REFUSED if "absent" not in case.make.__qualname__], ids=lambda c: c.name
)
def test_a_bad_file_is_rejected_at_intake_or_taken_and_the_music_beside_it_is_taken(
    case: Refused, watcher: Watcher
) -> None:
    """What only shows when the whole file is decoded (a cut, a scratch) is left to that."""
    bad = case.make(watcher.inbox.folder)
    good = drop(watcher.inbox, "zz music.wav")
    intakes = watcher.ticks(3)
    assert good.name in names(intakes)
    reasons = [rejection.reason for intake in intakes for rejection in intake.rejected]
    assert all(reason.isprintable() and case.reason in reason for reason in reasons)
    if bad.is_file() and case.reason in ("empty", "not audio", "no audio"):
        assert len(reasons) == 1


def test_what_is_passed_over_is_told_once_with_what_to_do(watcher: Watcher) -> None:
    for name in ("set.zip", "song.als", "noending"):
        (watcher.inbox.folder / name).write_bytes(b"something")
    for name in (
        "cover.jpg",
        "album.cue",
        "rip.log",
        "desktop.ini",
        ".DS_Store",
        "brief.toml",
        "song.mp3.part",
    ):
        (watcher.inbox.folder / name).write_bytes(b"something")
    first, *later = watcher.ticks(3)
    assert {rejection.reason for rejection in first.rejected} == {
        "set.zip: is an archive; unpack it, and drop in what is in it",
        "song.als: is passed over, as .als is no kind of audio; give it as WAV, FLAC or MP3",
        "noending: is passed over, as its name has no ending; add .wav, .flac, .mp3 or what else it is",
    }
    assert [rejection for intake in later for rejection in intake.rejected] == []
    assert {rejection.what_to_do for rejection in watcher.storage.sources.rejections()} == {
        "unpack it, and drop in what is in it",
        "give it as WAV, FLAC or MP3",
        "add .wav, .flac, .mp3 or what else it is",
    }


def test_a_file_over_the_limits_is_rejected_before_it_becomes_a_track(
    inbox: FolderInbox, storage: StorageResource, files_lie_still: None
) -> None:
    drop(inbox, "long.wav", bytes(8000))
    drop(inbox, "short.wav", bytes(800))
    intake = take_in(
        inbox,
        storage,
        Partitions(lambda _: False, list),
        waiting={},
        emitted={},
        limit=10,
        limits=Limits(duration_hours=0.5 / 3600),
    )
    assert names([intake]) == ["short.wav"]
    assert [rejection.wrong for rejection in intake.rejected] == ["lasts more than 0.000138889 hours"]
