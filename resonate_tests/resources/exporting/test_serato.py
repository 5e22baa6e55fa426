"""Serato: read by serato-tools, every beat is where it was tracked, and what a DJ has set is still there."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from mutagen.id3 import GEOB, TIT2
from mutagen.mp3 import MP3
from serato_tools.crate import Crate
from serato_tools.track_autotags import TrackAutotags
from serato_tools.track_beatgrid import TrackBeatgrid
from serato_tools.track_cues_v1 import TrackCuesV1
from serato_tools.track_cues_v2 import TrackCuesV2

from resonate_resources.exporting.serato import Serato
from resonate_resources.exporting.serato_tags import (
    autotags,
    beat_grid,
    entries_of,
    levels_in,
    markers_2,
    write_blobs,
)
from resonate_resources.exporting.song import Marker
from resonate_resources.exporting.steady_runs import Run, steady_runs
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TimeSignature
from resonate_tests.peer_encoders import encode_with_ffmpeg, noise
from resonate_tests.resources.exporting.songs_for_decks import (
    DRIFTING,
    IN_SIX,
    NO_BEATS,
    STEADY,
    a_song,
    mapped,
    parts,
    wandering,
)

KINDS = ("mp3", "aiff", "wav", "flac", "m4a")
IN_ID3 = ("mp3", "aiff", "wav")
# key in a FLAC, atom in an MP4: Holzhaus, "Serato Tags", docs/fileformats.md
ELSEWHERE = {
    TrackBeatgrid: ("SERATO_BEATGRID", "----:com.serato.dj:beatgrid"),
    TrackCuesV2: ("SERATO_MARKERS_V2", "----:com.serato.dj:markersv2"),
    TrackAutotags: ("SERATO_AUTOGAIN", "----:com.serato.dj:autgain"),
}


def a_file(folder: Path, kind: str) -> Path:
    path = folder / f"Jóga 🎧.{kind}"
    if kind == "m4a":
        return encode_with_ffmpeg(path, noise(44_100, 2), 44_100, "aac")
    sf.write(path, noise(44_100, 2), 44_100)
    return path


def blob_of(path: Path, what: Any) -> bytes:
    """What stands in a file, found as triseratops does: one letter of base64 is cut off where they are not two more
    than fours."""
    file = mutagen.File(path)
    if path.suffix[1:] in IN_ID3:
        return bytes(file.tags[f"GEOB:{what.GEOB_KEY}"].data)
    comment, atom = ELSEWHERE[what]
    text = file[comment][0].encode() if path.suffix == ".flac" else bytes(file[atom][0])
    assert max(map(len, text.split(b"\n"))) <= 73
    letters = text.replace(b"\n", b"")
    data = decoded(letters if len(letters) % 4 == 2 else letters[:-1])
    assert decoded(letters[:-1]) == data  # as mixxx does, src/track/serato/beatgrid.cpp
    before = f"application/octet-stream\0\0{what.GEOB_KEY}\0".encode()
    assert data.startswith(before)
    return data[len(before) :]


def decoded(letters: bytes) -> bytes:
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


def found(path: Path, what: Any) -> Any:
    return what(blob_of(path, what))


def beats_of(grid: TrackBeatgrid, end: float) -> list[float]:
    """Every beat until then: evenly from marker to marker, at the last one's tempo after it."""
    *markers, last, _ = grid.entries
    beats = [
        marker.position + number * (following.position - marker.position) / marker.beats_till_next_marker
        for marker, following in pairwise([*markers, last])
        if isinstance(marker, TrackBeatgrid.NonTerminalBeatgridMarker)
        for number in range(marker.beats_till_next_marker)
    ]
    after = int((end - last.position) * last.bpm / 60 + 1.5)
    return beats + [last.position + number * 60 / last.bpm for number in range(after)]


def bar_lines(grid: TrackBeatgrid, count: int) -> list[int]:
    """Numbers of the beats that begin a bar in Serato: every fourth from each marker on."""
    *markers, _ = grid.entries
    lines, number = [], 0
    for marker in markers:
        beats = getattr(marker, "beats_till_next_marker", count - number)
        lines += range(number, number + beats, 4)
        number += beats
    return lines


def exported(folder: Path, grid: Grid, kind: str = "mp3", **more: Any) -> tuple[Path, Product]:
    into = folder / "out"
    into.mkdir(exist_ok=True)
    product = Serato().write(a_song(folder, grid, source=a_file(folder, kind), **more), into, silent)
    return next(iter(product.files.values())), product


@pytest.mark.parametrize("kind", KINDS)
def test_every_beat_cue_and_level_is_read_in_files_of_every_kind(kind: str, tmp_path: Path) -> None:
    path, _ = exported(tmp_path, DRIFTING, kind, sections=parts(3), tags=Tags(bpm=121.0), level=1.0)
    grid = found(path, TrackBeatgrid)
    assert beats_of(grid, DRIFTING.beats_s[-1]) == pytest.approx(mapped(DRIFTING), abs=1e-3)
    cues = [entry for entry in found(path, TrackCuesV2).entries if entry.NAME == "CUE"]
    assert [(cue.index, cue.position, cue.name) for cue in cues] == [
        (0, 250, "Intro"),
        (1, 8_250, "Verse"),
        (2, 16_250, "Chorus"),
    ]
    assert [cue.color for cue in cues] == [
        TrackCuesV2.CUE_COLORS[c] for c in ("red", "yelloworange", "blue2")
    ]
    told = found(path, TrackAutotags)
    # A 997 Hz sine of full scale is −3.01 LUFS in one channel, 0 in both (ITU-R BS.1770-4); ReplayGain 2.0 is −18.
    assert (told.bpm, told.gaindb) == (121.0, 0.0)
    assert told.autogain == pytest.approx(-18.0, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sound_and_the_other_tags_of_the_file_stay(kind: str, tmp_path: Path) -> None:
    source = a_file(tmp_path, kind)
    file = mutagen.File(source)
    if kind in IN_ID3:
        if file.tags is None:
            file.add_tags()
        file.tags.add(TIT2(encoding=3, text=["Jóga"]))
    else:
        file["\xa9nam" if kind == "m4a" else "title"] = "Jóga"
    file.save()
    (tmp_path / "out").mkdir()
    song = a_song(tmp_path, STEADY, parts(2), source=source)
    copy = next(iter(Serato().write(song, tmp_path / "out", silent).files.values()))
    again = mutagen.File(copy)
    assert (
        str(again.tags["TIT2" if kind in IN_ID3 else "\xa9nam" if kind == "m4a" else "title"]).strip("[]'")
        == "Jóga"
    )
    if kind == "m4a":
        assert again.info.length == mutagen.File(source).info.length
    else:
        np.testing.assert_array_equal(sf.read(copy)[0], sf.read(source)[0])


def test_a_file_of_id3_2_3_stays_one(tmp_path: Path) -> None:
    source = a_file(tmp_path, "mp3")
    file = MP3(source)
    file.add_tags()
    file.tags.add(TIT2(encoding=1, text=["Jóga"]))
    file.save(v2_version=3)
    (tmp_path / "out").mkdir()
    product = Serato().write(a_song(tmp_path, STEADY, source=source), tmp_path / "out", silent)
    copy = MP3(product.files[source.name], translate=False)
    assert copy.tags.version == (2, 3, 0)
    assert TrackBeatgrid(str(product.files[source.name])).entries is not None


def test_a_steady_track_has_one_marker(tmp_path: Path) -> None:
    path, _ = exported(tmp_path, STEADY)
    marker, _ = TrackBeatgrid(str(path)).entries
    assert (marker.position, marker.bpm) == (0.25, 120.0)


def test_bars_begin_where_they_do_after_a_pickup_and_in_other_metres(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(1, 25)]
    in_three = Grid(beats, beats[2::3], [TimeSignature(1.5, 3, 4)])
    for grid in (DRIFTING, IN_SIX, in_three):
        path, _ = exported(tmp_path, grid)
        lines = bar_lines(TrackBeatgrid(str(path)), len(grid.beats_s))
        downs = [list(grid.beats_s).index(second) for second in grid.downbeats_s]
        begun = downs if grid is not IN_SIX else downs[::2]  # two of its bars are one of four beats
        assert set(begun) <= set(lines)


@given(grid=wandering())
@settings(max_examples=60, deadline=None)
def test_whatever_the_tempo_does_beats_are_those_of_the_track(grid: Grid) -> None:
    with TemporaryDirectory() as folder:
        runs = steady_runs(a_song(Path(folder), grid), 0.0005, bars_of=4)
    read = TrackBeatgrid(beat_grid(runs))
    assert beats_of(read, grid.beats_s[-1]) == pytest.approx(mapped(grid), abs=1e-3)


def test_of_many_sections_the_first_eight_have_cues_and_that_is_told(tmp_path: Path) -> None:
    path, product = exported(tmp_path, STEADY, sections=parts(11))
    cues = [entry for entry in TrackCuesV2(str(path)).entries if entry.NAME == "CUE"]
    assert [cue.index for cue in cues] == list(range(8))
    assert len({cue.color for cue in cues if cue.name == "Verse"}) == 1
    assert "of 11 sections the first 8 have a cue: Serato holds 8" in product.notes


def set_by_a_dj(path: Path, *, locked: bool = False, first_cues: bool | None = None) -> None:
    """A cue, a loop and a gain as Serato leaves them, written by serato-tools."""
    cues = TrackCuesV2(b"\x01\x01AQE=\x00")
    cues.entries = [
        TrackCuesV2.ColorEntry(b"\0", TrackCuesV2.TRACK_COLORS["pink"]),
        TrackCuesV2.CueEntry(b"\0", 1, 8_240, b"\0", TrackCuesV2.CUE_COLORS["cyan"], b"\0\0", "Drop ♥"),
        TrackCuesV2.BpmLockEntry(locked),
    ]
    cues._dump()
    levels = TrackAutotags(b"\x01\x01115.00\x00-3.257\x000.000\x00")
    levels.set(gaindb=1.5)
    grid = TrackBeatgrid(bytes.fromhex("0100000000013e9c283842e6000037"))
    file = MP3(path)
    file.add_tags()
    blobs = [(cues, cues.raw_data), (levels, levels.raw_data), (grid, grid.raw_data)]
    if first_cues is not None:
        # triseratops, src/tag/markers.rs; 00 00 40 30 is 8240 in seven bits a byte
        unset = bytes.fromhex("7f7f7f7f7f 7f7f7f7f7f 007f7f7f7f7f 00000000 00 00")
        one = bytes.fromhex("0000004030 7f7f7f7f7f 007f7f7f7f7f 0003184c 01 00")
        entries = b"".join(one if first_cues and n == 1 else unset for n in range(14))
        old = TrackCuesV1(b"\x02\x05" + (14).to_bytes(4, "big") + entries + bytes(4))
        blobs.append((old, old.raw_data))
    for what, data in blobs:
        file.tags.add(GEOB(encoding=0, mime="application/octet-stream", desc=what.GEOB_KEY, data=data))
    file.save()


@pytest.fixture
def of_a_dj(tmp_path: Path) -> Callable[..., tuple[Path, Product]]:
    def export(**how: Any) -> tuple[Path, Product]:
        source = a_file(tmp_path, "mp3")
        set_by_a_dj(source, **how)
        (tmp_path / "out").mkdir()
        song = a_song(tmp_path, STEADY, parts(4), source=source, tags=Tags(bpm=120.0))
        product = Serato().write(song, tmp_path / "out", silent)
        return product.files[source.name], product

    return export


def cues_in(path: Path) -> dict[int, tuple[int, str]]:
    return {e.index: (e.position, e.name) for e in TrackCuesV2(str(path)).entries if e.NAME == "CUE"}


def test_cues_colours_and_gains_of_a_dj_stay_and_ours_take_the_free_places(of_a_dj: Any) -> None:
    path, product = of_a_dj()
    # The section at 8.25 s has the DJ's cue already.
    assert cues_in(path) == {
        0: (250, "Intro"),
        1: (8_240, "Drop ♥"),
        2: (16_250, "Chorus"),
        3: (24_250, "Verse"),
    }
    assert TrackCuesV2(str(path)).get_track_color_name() == "pink"
    levels = TrackAutotags(str(path))
    assert (levels.bpm, levels.autogain, levels.gaindb) == (120.0, -3.257, 1.5)
    marker, _ = TrackBeatgrid(str(path)).entries
    assert (marker.position, marker.bpm) == (0.25, 120.0)
    assert "1 of its cues were set in Serato, and stay" in product.notes
    assert "the beat grid that Serato had made gives way to the one tracked here" in product.notes


def test_a_locked_grid_stays(of_a_dj: Any) -> None:
    path, product = of_a_dj(locked=True)
    marker, _ = TrackBeatgrid(str(path)).entries
    assert (marker.position, marker.bpm) == (pytest.approx(0.305, abs=1e-3), 115.0)
    assert TrackAutotags(str(path)).bpm == 115.0
    assert TrackCuesV2(str(path)).is_beatgrid_locked()
    assert "its beat grid is locked in Serato, and stays" in product.notes


def test_where_older_markers_hold_cues_they_stay_and_only_later_places_are_taken(of_a_dj: Any) -> None:
    path, _ = of_a_dj(first_cues=True)
    assert [e.start_position for e in TrackCuesV1(str(path)).entries[:-1] if e.start_position_set] == [8_240]
    assert cues_in(path) == {
        1: (8_240, "Drop ♥"),
        5: (250, "Intro"),
        6: (16_250, "Chorus"),
        7: (24_250, "Verse"),
    }


def test_older_markers_that_hold_nothing_go_as_they_would_hide_the_first_cues(tmp_path: Path) -> None:
    source = a_file(tmp_path, "mp3")
    set_by_a_dj(source, first_cues=False)
    file = MP3(source)
    file.tags.delall("GEOB:Serato Markers2")
    file.save()
    (tmp_path / "out").mkdir()
    song = a_song(tmp_path, STEADY, parts(1), source=source)
    copy = Serato().write(song, tmp_path / "out", silent).files[source.name]
    assert "GEOB:Serato Markers_" not in MP3(copy).tags
    assert cues_in(copy) == {0: (250, "Intro")}


def test_cues_that_cannot_be_read_are_left_byte_by_byte(tmp_path: Path) -> None:
    source = a_file(tmp_path, "mp3")
    broken = b"\x01\x01" + base64.b64encode(b"\x01\x01CUE\0\0\0\xff\xffcut short") + b"\0"
    file = MP3(source)
    file.add_tags()
    file.tags.add(GEOB(encoding=0, mime="application/octet-stream", desc="Serato Markers2", data=broken))
    file.save()
    (tmp_path / "out").mkdir()
    song = a_song(tmp_path, STEADY, parts(2), source=source)
    product = Serato().write(song, tmp_path / "out", silent)
    assert MP3(product.files[source.name]).tags["GEOB:Serato Markers2"].data == broken
    assert any("can't be read (an entry is cut short): they stay" in note for note in product.notes)


def test_blobs_that_serato_wrote_are_read_and_written_as_it_does() -> None:
    """Holzhaus, "Serato Tags", docs/: what Serato left in one song."""
    markers = (b"\x01\x01" + b"AQFDT0xPUgAAAAAEAP///0JQTUxPQ0sAAAAAAQAA").ljust(470, b"\0")
    assert entries_of(markers) == [("COLOR", b"\0\xff\xff\xff"), ("BPMLOCK", b"\0")]
    assert entries_of(markers_2(entries_of(markers))) == entries_of(markers)
    levels = b"\x01\x01115.00\x00-3.257\x000.000\x00"
    assert levels_in(levels) == (-3.257, 0.0)
    assert autotags(115.0, -3.257, 0.0) == levels
    # but for the last byte, which differs each time
    assert beat_grid([Run(0.30499434, 115.0, 9, 1, 4, 4)])[:-1] == bytes.fromhex(
        "0100000000013e9c283842e60000"
    )


@pytest.mark.parametrize("name", ["", "x", "xy", "xyz", "ü" * 150, "Drop 🎧 / \\ %%"])
def test_cues_of_any_name_are_read(name: str, tmp_path: Path) -> None:
    path, _ = exported(tmp_path, STEADY, sections=[Marker(name, 1.0, 2.0)])
    assert cues_in(path) == {0: (1_000, name)}
    # triseratops takes no padding, and wants an empty entry at the end
    text, zero, _ = blob_of(path, TrackCuesV2)[2:].partition(b"\0")
    assert zero == b"\0"
    assert b"=" not in text
    assert base64.b64decode(text).endswith(b"\0\0")


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_grids_of_any_length_are_the_same_bytes_in_flac_and_in_id3(runs: int, tmp_path: Path) -> None:
    grid = beat_grid([Run(float(n), 120.0, 2, 1, 4, 4) for n in range(runs)])
    for kind in ("flac", "m4a", "mp3"):
        path = a_file(tmp_path, kind)
        write_blobs(path, {"Serato BeatGrid": grid})
        assert blob_of(path, TrackBeatgrid) == grid


@pytest.mark.parametrize(
    ("sample_rate", "channels", "level"), [(8_000, 1, 0.1), (192_000, 2, 0.1), (44_100, 2, 0.0)]
)
def test_without_beats_and_without_its_file_a_song_is_flac_with_cues_and_no_grid(
    sample_rate: int, channels: int, level: float, tmp_path: Path
) -> None:
    song = a_song(tmp_path, NO_BEATS, parts(1), sample_rate=sample_rate, channels=channels, level=level)
    product = Serato().write(song, tmp_path, silent)
    path = product.files["Björk - Jóga (Original).flac"]
    assert "SERATO_BEATGRID" not in mutagen.File(path)
    (cue,) = [entry for entry in found(path, TrackCuesV2).entries if entry.NAME == "CUE"]
    assert cue.name == "Intro"
    assert sf.info(path).samplerate == sample_rate
    assert product.notes == ("no beats were heard: it goes out without a beat grid",)


def test_silence_has_no_gain(tmp_path: Path) -> None:
    path, _ = exported(tmp_path, STEADY, level=0.0)
    assert TrackAutotags(str(path)).autogain == 0.0


def test_the_crate_names_the_file_on_its_drive_and_keeps_what_was_in_it(tmp_path: Path) -> None:
    at = tmp_path / "stick"
    crate = at / "_Serato_" / "Subcrates" / "Resonate.crate"
    crate.parent.mkdir(parents=True)
    theirs = Crate(str(crate))
    theirs.data = [
        ("vrsn", "1.0/Serato ScratchLive Crate"),
        ("tfut", "a field of later"),
        ("otrk", [("ptrk", "Müsic/a.mp3")]),
    ]
    theirs.save()
    (tmp_path / "out").mkdir()
    source = a_file(tmp_path, "mp3")
    song = a_song(tmp_path, STEADY, source=source)
    product = Serato(at=at).write(song, tmp_path / "out", silent)
    made = product.files["_Serato_/Subcrates/Resonate.crate"]
    read = Crate(str(made))
    names = read.tracks()
    assert names[0] == "Müsic/a.mp3"
    assert not names[1].startswith("/")
    assert str(at / source.name).endswith(names[1])
    assert ("tfut", "a field of later") in read.data
    crate.write_bytes(made.read_bytes())
    again = Serato(at=at).write(song, tmp_path / "out", silent).files["_Serato_/Subcrates/Resonate.crate"]
    assert Crate(str(again)).tracks() == names


def test_a_broken_crate_is_not_written_over(tmp_path: Path) -> None:
    crate = tmp_path / "_Serato_" / "Subcrates" / "Resonate.crate"
    crate.parent.mkdir(parents=True)
    crate.write_bytes(b"vrsn\0\0\0\xffcut")
    product = Serato().write(a_song(tmp_path, STEADY), tmp_path, silent)
    assert list(product.files) == ["Björk - Jóga (Original).flac"]
    assert crate.read_bytes() == b"vrsn\0\0\0\xffcut"
    assert any("stays as it is (it ends within a field)" in note for note in product.notes)


def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    source = tmp_path / "x.flac"
    source.write_bytes(b"no FLAC at all")
    (tmp_path / "out").mkdir()
    with pytest.raises(AudioError, match=r"^x\.flac: its tags can't be read .*; convert it to FLAC$"):
        Serato().write(a_song(tmp_path, STEADY, source=source), tmp_path / "out", silent)
