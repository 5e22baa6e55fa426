"""Sources and rejections: kept whatever the names, and whatever dies while they are written."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from resonate_resources.storage.sources import NOTHING, Rejection, Source, Sources
from resonate_resources.storage.store import LocalStore

TRACK = "song-0123456789ab"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(LocalStore(tmp_path))


@pytest.mark.parametrize(
    "uri", ["/music/a.wav", "/two\nlines\t🎸 歌.wav", os.fsdecode(b"/\xff\xfe.wav"), "s3://music/a b+c.wav"]
)
def test_a_source_comes_back_as_it_was_registered_whatever_its_name(sources: Sources, uri: str) -> None:
    source = Source(TRACK, uri, 5, "ab" * 32, "Sigur Rós", None)
    sources.register(source)
    assert sources.find(TRACK) == source
    assert list(sources.all()) == [source]
    assert source.name == uri.rpartition("/")[2]


def test_an_unknown_track_has_no_source(sources: Sources) -> None:
    assert sources.find(TRACK) is None
    assert list(sources.all()) == []


def test_a_file_rejected_twice_is_told_once_with_the_latest_reason(sources: Sources) -> None:
    sources.reject(Rejection("/a.wav", "a.wav: is cut off", TRACK))
    sources.reject(Rejection("/a.wav", "a.wav: is damaged", TRACK))
    assert [rejection.reason for rejection in sources.rejections()] == ["a.wav: is damaged"]


def test_files_that_could_not_be_read_are_told_apart_by_where_they_are(sources: Sources) -> None:
    for uri in ("/cd1/a.wav", "/cd2/a.wav", os.fsdecode(b"/\xff.wav")):
        sources.reject(Rejection(uri, "a.wav: can't be read"))
    sources.accept(None, "/cd1/a.wav")
    assert {rejection.uri for rejection in sources.rejections()} == {
        "/cd2/a.wav",
        os.fsdecode(b"/\xff.wav"),
    }


def test_accepting_what_was_never_rejected_changes_nothing(sources: Sources) -> None:
    sources.reject(Rejection("/a.wav", "a.wav: is damaged", TRACK))
    sources.accept("other-0123456789ab", "/b.wav")
    assert len(sources.rejections()) == 1


def test_rejections_are_told_latest_first(sources: Sources) -> None:
    for day in (2, 3, 1):
        sources.reject(Rejection(f"/{day}.wav", str(day), rejected_at=f"2026-11-0{day}T00:00:00+00:00"))
    assert [rejection.reason for rejection in sources.rejections()] == ["3", "2", "1"]


def test_a_process_killed_while_it_writes_leaves_the_records_readable(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Source("kept-0123456789ab", "/kept.wav", 5, "ab" * 32)
    sources.register(kept)
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        sources.register(Source(TRACK, "/lost.wav", 5, "cd" * 32))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert list(sources.all()) == [kept]


def test_the_right_file_in_the_place_of_a_rejected_one_settles_the_matter(sources: Sources) -> None:
    sources.reject(Rejection("/a.wav", "a.wav: is cut off", TRACK))
    sources.reject(Rejection("/b.wav", "b.wav: is cut off", "other-0123456789ab"))
    sources.accept(None, "/a.wav")  # that it can be read says nothing yet
    assert len(sources.rejections()) == 2
    sources.accept("whole-ba9876543210", "/a.wav")
    assert [rejection.uri for rejection in sources.rejections()] == ["/b.wav"]


def test_a_rejected_file_that_was_copied_is_still_rejected_when_its_first_place_holds_another(
    sources: Sources,
) -> None:
    for uri in ("/a.wav", "/copy of a.wav"):
        sources.reject(Rejection(uri, "is cut off", TRACK))
    sources.accept("whole-ba9876543210", "/a.wav")
    assert [rejection.uri for rejection in sources.rejections()] == ["/copy of a.wav"]


def test_the_state_of_the_rejections_tells_when_one_came_or_went(sources: Sources) -> None:
    states = [sources.rejected_state()]
    sources.reject(Rejection("/a.wav", "a.wav: is cut off", TRACK))
    states.append(sources.rejected_state())
    assert sources.rejected_state() == states[-1]
    sources.accept(TRACK, "/a.wav")
    assert states == [NOTHING, states[1]]
    assert sources.rejected_state() == NOTHING != states[1]
