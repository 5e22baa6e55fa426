"""Crates and playlists, written by serato-tools, pyrekordbox and rekordbox, are read as what a DJ has chosen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrekordbox.rbxml import RekordboxXml
from serato_tools.crate import Crate as TheirCrate

from resonate_resources.ingestion.crates import Chosen, Crate, rekordbox_playlists, serato_crates
from resonate_resources.recordings.serato_crate import paths_in, with_tracks

# As rekordbox 6 exports them; Pioneer's "rekordbox XML format list".
COLLECTION = """<?xml version="1.0" encoding="UTF-8"?>
<DJ_PLAYLISTS Version="1.0.0">
  <PRODUCT Name="rekordbox" Version="6.7.4" Company="AlphaTheta"/>
  <COLLECTION Entries="3">
    <TRACK TrackID="11" Name="A" Location="file://localhost/Users/dj/M%c3%bcsic/a%20%26%20b.mp3">
      <TEMPO Inizio="0.025" Bpm="128.00" Metro="4/4" Battito="1"/>
      <POSITION_MARK Name="" Type="0" Start="0.025" Num="-1"/>
    </TRACK>
    <TRACK TrackID="12" Name="B" Location="file://localhost/C:/Music/b.flac"/>
    <TRACK TrackID="13" Name="Streamed" Location="file://localhostsoundcloud:tracks:1"/>
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="2">
      <NODE Type="0" Name="2024" Count="2">
        <NODE Name="Wärm up" Type="1" KeyType="0" Entries="2"><TRACK Key="12"/><TRACK Key="11"/></NODE>
        <NODE Name="Peak" Type="1" KeyType="0" Entries="2"><TRACK Key="11"/><TRACK Key="99"/></NODE>
      </NODE>
      <NODE Name="By place" Type="1" KeyType="1" Entries="1"><TRACK Key="file://localhost/C:/Music/b.flac"/></NODE>
    </NODE>
  </PLAYLISTS>
</DJ_PLAYLISTS>
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "_Serato_" / "Subcrates").mkdir(parents=True)
    return tmp_path


def put(library: Path, name: str, *paths: str) -> None:
    crate = TheirCrate(str(library / "_Serato_" / "Subcrates" / f"{name}.crate"))
    crate.data = [("vrsn", "1.0/Serato ScratchLive Crate")]
    for path in paths:
        crate.add_track(path)
    crate.save()


def test_crates_have_their_names_their_files_and_their_order(library: Path) -> None:
    put(library, "House%%Deep", "Music/b.mp3", "Music/Ä 🎧.flac", "Music/a.mp3")
    put(library, "Empty")
    expected = Chosen(
        (
            Crate("Empty", ()),
            Crate(
                "House/Deep", tuple(Path("/stick/Music") / name for name in ("b.mp3", "Ä 🎧.flac", "a.mp3"))
            ),
        ),
        (),
    )
    for folder in (library, library / "_Serato_"):
        assert serato_crates(folder, Path("/stick")) == expected


def test_a_broken_crate_is_told_in_one_line_and_the_others_are_read(library: Path) -> None:
    put(library, "Good", "a.mp3")
    subcrates = library / "_Serato_" / "Subcrates"
    whole = (subcrates / "Good.crate").read_bytes()
    (subcrates / "Cut.crate").write_bytes(whole[:-3])
    (subcrates / "Other\nline.crate").write_bytes(b"otrk\0\0\0\0")
    (subcrates / "._Good.crate").write_bytes(b"macOS's")
    (subcrates / "Folder.crate").mkdir()
    chosen = serato_crates(library, Path("/"))
    assert chosen.crates == (Crate("Good", (Path("/a.mp3"),)),)
    assert [line.partition(":")[0] for line in chosen.broken] == [
        "Cut.crate",
        "Folder.crate",
        "Other\\nline.crate",
    ]
    assert all("\n" not in line for line in chosen.broken)


def test_a_folder_without_crates_is_told(tmp_path: Path) -> None:
    chosen = serato_crates(tmp_path, Path("/"))
    assert chosen.crates == ()
    assert len(chosen.broken) == 1


@given(
    data=st.binary(max_size=200) | st.binary(max_size=80).map(lambda rest: with_tracks(None, ["a"]) + rest)
)
@settings(max_examples=200)
def test_any_bytes_are_a_crate_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        assert all(isinstance(path, str) for path in paths_in(data))


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda name: not name.startswith("/")
)


@given(names=st.lists(_NAMES, unique=True, max_size=5))
@settings(deadline=None)
def test_what_is_put_into_a_crate_is_read_by_others(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.crate"
        path.write_bytes(with_tracks(with_tracks(None, names[:2]), names))
        assert TheirCrate(str(path)).tracks() == names


def test_playlists_in_folders_lead_to_files_and_what_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rekordbox.xml"
    path.write_text(COLLECTION, encoding="utf-8")
    a, b = Path("/Users/dj/Müsic/a & b.mp3"), Path("C:/Music/b.flac")
    chosen = rekordbox_playlists(path)
    assert chosen.crates == (
        Crate("2024/Wärm up", (b, a)),
        Crate("2024/Peak", (a,)),
        Crate("By place", (b,)),
    )
    assert chosen.broken == (
        "rekordbox.xml: the playlist 2024/Peak names tracks that the collection does not have (1)",
    )


def test_a_collection_of_pyrekordbox_is_read(tmp_path: Path) -> None:
    xml = RekordboxXml()
    track = xml.add_track("Users/dj/50% #1 Ü.mp3")
    xml.add_playlist_folder("A").add_playlist("B").add_track(track.TrackID)
    xml.save(tmp_path / "x.xml")
    assert rekordbox_playlists(tmp_path / "x.xml") == Chosen(
        (Crate("A/B", (Path("/Users/dj/50% #1 Ü.mp3"),)),), ()
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (COLLECTION[: COLLECTION.index('<NODE Name="Peak"')], ["2024/Wärm up"]),
        ("", []),
        ("<html/>", []),
        ("\0\1\2", []),
        ('<?xml version="1.0" encoding="hex"?><DJ_PLAYLISTS/>', []),
        ('<?xml version="1.0" encoding="none-such"?><DJ_PLAYLISTS/>', []),
    ],
)
def test_a_broken_collection_is_told_in_one_line_and_playlists_before_the_break_are_read(
    content: str, found: list[str], tmp_path: Path
) -> None:
    (tmp_path / "x.xml").write_text(content, encoding="utf-8")
    chosen = rekordbox_playlists(tmp_path / "x.xml")
    assert [crate.name for crate in chosen.crates] == found
    (line,) = chosen.broken
    assert line.startswith("x.xml: can't be read (")
    assert "\n" not in line


def test_a_collection_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert rekordbox_playlists(tmp_path / "none.xml") == Chosen(
        (), ("none.xml: can't be read (no such file or directory); export it from rekordbox anew",)
    )


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{entities}]><DJ_PLAYLISTS><TRACK>&e11;</TRACK></DJ_PLAYLISTS>'
    )
    (tmp_path / "x.xml").write_text(bomb)
    (line,) = rekordbox_playlists(tmp_path / "x.xml").broken
    assert line.startswith("x.xml: can't be read (")
