"""Crates and playlists are found in a library and beside it, and matched with the files they mean."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.ingestion.chosen import crates_of, dj_libraries
from resonate_resources.ingestion.crates import Crate
from resonate_tests.dj_libraries import put_collection, put_crate


def found(folder: Path) -> list[str]:
    within = [str(path) for path in folder.rglob("*") if path.is_file()]
    return sorted(crate.name for crate in dj_libraries(folder, within).read().crates)


def test_libraries_of_djs_are_found_deep_in_a_folder_and_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "stick" / "Music"
    (folder / "A" / "B").mkdir(parents=True)
    put_crate(folder / "A" / "B", "Deep", Path("/x.mp3"))
    put_crate(tmp_path / "stick", "Beside", Path("/x.mp3"))
    put_collection(folder / "A" / "mine.xml", "Within", Path("/x.mp3"))
    put_collection(tmp_path / "stick" / "rekordbox.xml", "Above", Path("/x.mp3"))
    (folder / "feed.xml").write_text("<rss/>")
    assert found(folder) == ["Above", "Beside", "Deep", "Within"]


def test_a_broken_crate_and_a_broken_collection_are_told_and_the_others_are_read(tmp_path: Path) -> None:
    put_crate(tmp_path, "Good", Path("/x.mp3"))
    broken = put_crate(tmp_path, "Broken", Path("/x.mp3"))
    broken.write_bytes(broken.read_bytes()[:-3])
    cut = put_collection(tmp_path / "cut.xml", "Cut", Path("/x.mp3"))
    cut.write_bytes(cut.read_bytes()[:-20])
    put_collection(tmp_path / "whole.xml", "Whole", Path("/x.mp3"))
    within = [str(path) for path in tmp_path.rglob("*") if path.is_file()]
    chosen = dj_libraries(tmp_path, within).read()
    assert {"Good", "Whole"} <= {crate.name for crate in chosen.crates}
    assert sorted(line.partition(":")[0] for line in chosen.broken) == ["Broken.crate", "cut.xml"]


def test_the_stamp_changes_with_any_crate_and_with_nothing_else(tmp_path: Path) -> None:
    crate = put_crate(tmp_path, "Mine", Path("/x.mp3"))
    (tmp_path / "feed.xml").write_text("<rss/>")
    within = [str(crate), str(tmp_path / "feed.xml")]
    before = dj_libraries(tmp_path, within).stamp
    (tmp_path / "feed.xml").write_text("<rss></rss>")
    assert dj_libraries(tmp_path, within).stamp == before
    put_crate(tmp_path, "Mine", Path("/x.mp3"), Path("/y.mp3"))
    assert dj_libraries(tmp_path, within).stamp != before


@pytest.mark.parametrize(
    ("meant", "file"),
    [
        ("/music/House/a.mp3", "/music/House/a.mp3"),
        ("C:/Users/dj/Music/House/a.mp3", "/music/House/a.mp3"),
        ("/Volumes/STICK/HOUSE/A.MP3", "/music/House/a.mp3"),
        ("/Users/dj/" + unicodedata.normalize("NFD", "Für/Träume.mp3"), "/music/Für/Träume.mp3"),
        ("/Users/dj/Old/Techno/b.mp3", "/music/Old/Techno/b.mp3"),
    ],
)
def test_a_crate_of_another_machine_means_the_file_that_agrees_from_its_name_upwards(
    meant: str, file: str
) -> None:
    files = ["House/a.mp3", "Für/Träume.mp3", "Old/Techno/b.mp3", "Techno/b.mp3"]
    known = [f"/music/{name}" for name in files]
    assert crates_of([Crate("Mine", (Path(meant),))], known) == {file: ("Mine",)}


@pytest.mark.parametrize(
    "meant", ["/elsewhere/a.mp3", "/Users/dj/CD 1/c.mp3", "/Users/dj/Techno/b.mp3", "/Users/dj/none.mp3"]
)
def test_a_name_alone_or_one_that_two_files_may_have_means_none(meant: str) -> None:
    files = ["House/a.mp3", "One/CD 1/c.mp3", "Two/CD 1/c.mp3", "Techno/b.mp3", "Old/Techno/b.mp3"]
    known = [f"/music/{name}" for name in files]
    assert crates_of([Crate("Mine", (Path(meant),))], known) == {}


def test_a_file_is_in_each_of_its_crates_once() -> None:
    file = Path("/music/House/a.mp3")
    crates = [Crate("One", (file, file)), Crate("Two", (file,)), Crate("Three", ())]
    assert crates_of(crates, [str(file)]) == {str(file): ("One", "Two")}


_NAMES = st.lists(st.text("aÄb ~🎸\udcff", min_size=1, max_size=4), min_size=1, max_size=4)


@given(st.lists(_NAMES, min_size=1, max_size=8))
def test_files_that_are_where_a_crate_says_are_always_found(paths: list[list[str]]) -> None:
    files = [Path("/music", *names) for names in paths]
    assert crates_of([Crate("All", tuple(files))], map(str, files)) == {str(file): ("All",) for file in files}
