"""What can't be used is told once, in one line, and never ends a batch."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from resonate_resources.ingestion.intake import Partitions, identify, take_in
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection
from resonate_tests.bad_input import REFUSED, Refused, dangling_link, pipe
from resonate_tests.resources.ingestion.watching import Watcher, drop, names
from resonate_tests.tiny_music import music

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
    assert len(watcher.storage.sources.rejections()) == 3


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
    [rejection] = intake.rejected
    assert rejection.reason.startswith("long.wav: lasts more than 0.000138889 hours; ")
