"""What is known of the files of a library, and what of them is to be made next."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.scanned import TRIES, ScannedFile, ScannedLibrary, is_unchanged

STRANGE = os.fsdecode(b"/music/\xff\xfe.wav")
SECOND = 1_000_000_000
NOW = 1_764_000_001 * SECOND
"""An odd number of seconds since 1970, in ns."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


@pytest.fixture
def library(url: str) -> ScannedLibrary:
    return ScannedLibrary(url, "/music")


def file(uri: str, priority: int = -16, **other: object) -> ScannedFile:
    values = {"size": 1, "stamp": "x", "tags": {"title": "Ä"}, "notes": ("odd",), "crates": ("\udcff",)}
    return ScannedFile(uri, priority=priority, **{**values, **other})  # type: ignore[arg-type]


def names(files: list[ScannedFile]) -> list[str]:
    return [each.uri for each in files]


def test_what_is_entered_is_known_whatever_its_name_and_comes_back_as_it_was(library: ScannedLibrary) -> None:
    entered = [file("/music/a.wav"), file(STRANGE), file(f"/music/{'deep/' * 800}b.wav", size=2**40)]
    library.enter(entered)
    assert library.known() == {each.uri: (each.size, each.stamp, False) for each in entered}
    assert sorted(library.files(), key=lambda each: each.uri) == sorted(entered, key=lambda each: each.uri)


def test_the_most_urgent_come_first_and_no_more_than_are_asked_for(library: ScannedLibrary) -> None:
    library.enter([file(f"/music/{number:02}.wav", -16 + number % 3) for number in range(12)])
    assert names(library.queue("c1", 5)) == [f"/music/{number:02}.wav" for number in (2, 5, 8, 11, 1)]


def test_each_library_has_a_plan_of_its_own(library: ScannedLibrary, url: str) -> None:
    library.enter([file("/music/a.wav")])
    another = ScannedLibrary(url, "/other")
    assert another.known() == {}
    another.mark_gone(["/music/a.wav"])
    another.note("/music/a.wav", "done", "a-0123456789ab")
    assert names(library.queue("c1", 9)) == ["/music/a.wav"]


def test_what_is_taken_done_or_gone_is_asked_for_no_more_and_none_is_forgotten(
    library: ScannedLibrary,
) -> None:
    library.enter([file(f"/music/{name}.wav") for name in "abcd"])
    library.note("/music/a.wav", "taken", "a-0123456789ab")
    library.note("/music/b.wav", "done", "b-0123456789ab")
    library.mark_gone(["/music/c.wav"])
    assert names(library.queue("c1", 9)) == ["/music/d.wav"]
    assert library.counts() == {"new": 1, "taken": 1, "done": 1, "failed": 0}
    assert library.known()["/music/c.wav"].gone
    library.mark_gone(["/music/c.wav"], gone=False)
    assert names(library.queue("c1", 9)) == ["/music/c.wav", "/music/d.wav"]


def test_a_broken_file_is_tried_again_when_it_changes_or_the_code_does(library: ScannedLibrary) -> None:
    library.enter([file("/music/a.wav")])
    library.note_failure("/music/a.wav", "a.wav: is \0 no \udcff audio", "c1", broken=True)
    [failed] = library.files(["failed"])
    assert failed.reason == "a.wav: is  no \\udcff audio"
    assert not failed.is_due("c1")
    assert failed.is_due("c2")
    assert names(library.queue("c1", 9)) == []
    assert names(library.queue("c2", 9)) == ["/music/a.wav"]
    library.enter([replace(file("/music/a.wav"), stamp="y")])
    [changed] = library.files()
    assert (changed.is_due("c1"), changed.state) == (True, "new")


def test_one_that_failed_for_another_reason_is_due_again_so_many_times(library: ScannedLibrary) -> None:
    library.enter([file("/music/a.wav")])
    due = []
    for _ in range(TRIES):
        library.note_failure("/music/a.wav", "stems: failed", "c1", broken=False)
        [failed] = library.files()
        due.append(failed.is_due("c1"))
    assert due == [True] * (TRIES - 1) + [False]
    library.note_failure("/music/a.wav", "stems: failed", "c2", broken=False)
    [failed] = library.files()
    assert (failed.is_due("c2"), failed.tries) == (True, 1)


def test_other_crates_change_the_priority_and_nothing_else(library: ScannedLibrary) -> None:
    library.enter([file("/music/a.wav")])
    library.note("/music/a.wav", "taken", "a-0123456789ab")
    [before] = library.files()
    library.prioritise([("/music/a.wav", ("House/Deep",), -8)])
    assert list(library.files()) == [replace(before, crates=("House/Deep",), priority=-8)]


def test_what_was_broken_of_crates_stays_known(library: ScannedLibrary) -> None:
    assert library.crates() == ("", ())
    library.note_crates("s1", ["A.crate: can't be read"])
    library.note_crates("s2", ["B.crate: can't be read"])
    assert library.crates() == ("s2", ("B.crate: can't be read",))


def seen(nanoseconds: int, size: int = 5, inode: int = 7) -> Seen:
    return Seen("/music/a.wav", size, f"{nanoseconds}.{inode}", settled=True)


@given(st.integers(NOW, NOW + 10**12))
def test_a_time_that_fat_has_cut_to_two_seconds_is_the_same_time(written: int) -> None:
    """Microsoft's specification of FAT, 1.03: times count in units of two seconds."""
    cut = written // (2 * SECOND) * 2 * SECOND
    assert is_unchanged(seen(cut), 5, f"{written}.1")
    assert is_unchanged(seen(written), 5, f"{cut}.1")


@given(st.integers(NOW, NOW + 10**12), st.integers(1, 10**12))
def test_on_other_file_systems_any_other_time_is_a_change(written: int, later: int) -> None:
    first, second = written * 2 + 1, written * 2 + 1 + later * 2  # odd numbers of ns: never FAT's
    assert not is_unchanged(seen(second), 5, f"{first}.7")


def test_two_seconds_are_a_change_on_fat_too_and_another_size_always_is() -> None:
    even = NOW + SECOND
    assert not is_unchanged(seen(even + 2 * SECOND), 5, f"{even}.7")
    assert not is_unchanged(seen(even, size=6), 5, f"{even}.7")


def test_links_and_permissions_are_no_change() -> None:
    assert is_unchanged(seen(NOW, inode=8), 5, f"{NOW}.7")


def test_an_object_of_a_bucket_is_what_its_etag_says() -> None:
    stored = Seen("s3://music/a.wav", 5, "9b2cf535f27731c974343645a3985328", settled=True)
    assert is_unchanged(stored, 5, "9b2cf535f27731c974343645a3985328")
    assert not is_unchanged(stored, 5, "0b2cf535f27731c974343645a3985328")


@pytest.mark.parametrize("broken", ["", "{", "3"])
def test_a_row_that_somebody_broke_loses_what_is_broken_of_it_alone(
    library: ScannedLibrary, url: str, broken: str
) -> None:
    library.enter([file("/music/a.wav", -3)])
    with transaction(url) as db:
        db.execute(tables.tables["library_files"].update().values(tags=broken, notes=broken, crates=broken))
    assert list(library.files()) == [file("/music/a.wav", -3, tags={}, notes=(), crates=())]
