"""rekordbox XML: read by pyrekordbox, every beat is where it was tracked, and what is played is found."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import soundfile as sf
from hypothesis import given, settings
from pyrekordbox import RekordboxXml

from resonate_resources.exporting.rekordbox import Rekordbox, collection, tonality
from resonate_resources.recordings.recording import AudioError, silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TimeSignature
from resonate_tests.resources.exporting.songs_for_decks import (
    BEATS_A_BAR,
    DRIFTING,
    IN_SIX,
    NO_BEATS,
    STEADY,
    a_song,
    mapped,
    parts,
    wandering,
)

A_FILE = PurePosixPath("/Users/dj/Music/a.mp3")


def read(content: bytes, folder: Path) -> RekordboxXml:
    path = folder / "read.xml"
    path.write_bytes(content)
    return RekordboxXml(path)


def beats_of(tempos: list, end: float) -> list[tuple[float, int]]:
    """(second, place in the bar) of every beat until then: each TEMPO counts on until the next one begins."""
    beats = []
    for tempo, following in pairwise([*tempos, None]):
        beat = 60 / tempo.Bpm
        until = following.Inizio - beat / 2 if following else end + beat / 2
        number, a_bar = 0, int(tempo.Metro.split("/")[0])
        while (second := tempo.Inizio + number * beat) < until:
            beats.append((second, 1 + (tempo.Battito - 1 + number) % a_bar))
            number += 1
    return beats


def assert_same_beats(grid: Grid, folder: Path) -> list:
    song = a_song(folder, grid)
    (track,) = read(collection({A_FILE: song}, {}), folder).get_tracks()
    beats = beats_of(track.tempos, grid.beats_s[-1])
    seconds = mapped(grid)
    downs = [second for second, heard in zip(seconds, grid.beats_s, strict=True) if heard in grid.downbeats_s]
    assert [second for second, _ in beats] == pytest.approx(seconds, abs=1e-3)
    assert [s for s, place in beats if place == 1] == pytest.approx(downs, abs=1e-3)
    return track.tempos


def test_a_steady_track_has_one_tempo(tmp_path: Path) -> None:
    (tempo,) = assert_same_beats(STEADY, tmp_path)
    assert (tempo.Inizio, tempo.Bpm, tempo.Metro, tempo.Battito) == (0.25, 120.0, "4/4", 1)


def test_a_drifting_track_has_every_beat_within_a_millisecond_and_a_pickup_before_its_bar(
    tmp_path: Path,
) -> None:
    tempos = assert_same_beats(DRIFTING, tmp_path)
    assert tempos[0].Battito == 4
    beats, end = DRIFTING.beats_s, len(DRIFTING.beats_s) - 1
    starts = [min(range(end), key=lambda at: abs(beats[at] - tempo.Inizio)) for tempo in tempos]
    for tempo, start, until in zip(tempos, starts, [*starts[1:], end], strict=True):
        lasts = beats[until] - beats[start]
        played = 60 * (until - start) / lasts  # on the way; either end may be off by the map's 8 ms and 1 ms
        assert tempo.Bpm == pytest.approx(played, rel=2 * 0.009 / lasts)


def test_six_eighths_are_two_beats_a_bar_as_they_are_danced(tmp_path: Path) -> None:
    (tempo,) = assert_same_beats(IN_SIX, tmp_path)
    assert (tempo.Bpm, tempo.Metro) == (75.0, "2/4")


def test_a_bar_that_lacks_a_beat_and_another_metre_are_told(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(1, 21)]
    downs = [beats[n] for n in (0, 4, 7, 11, 14, 17)]  # bars of 4, 3, 4, then of 3
    grid = Grid(beats, downs, [TimeSignature(0.5, 4, 4), TimeSignature(beats[11], 3, 4)])
    tempos = assert_same_beats(grid, tmp_path)
    assert [(tempo.Inizio, tempo.Metro, tempo.Battito) for tempo in tempos] == [
        (0.5, "4/4", 1),
        (beats[7], "4/4", 1),
        (beats[11], "3/4", 1),
    ]


def test_the_last_beat_begins_a_bar_where_it_does(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(1, 9)]
    tempos = assert_same_beats(
        Grid(beats, [beats[0], beats[4], beats[7]], [TimeSignature(0.5, 4, 4)]), tmp_path
    )
    assert [(tempo.Inizio, tempo.Bpm, tempo.Battito) for tempo in tempos] == [
        (0.5, 120.0, 1),
        (4.0, 120.0, 1),
    ]


def test_beats_count_on_over_a_pause(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(1, 17)] + [0.5 * n for n in range(21, 41)]
    grid = Grid(beats, beats[::4], [TimeSignature(0.5, 4, 4)])
    (track,) = read(collection({A_FILE: a_song(tmp_path, grid)}, {}), tmp_path).get_tracks()
    (tempo,) = track.tempos
    assert (tempo.Inizio, tempo.Bpm) == (0.5, 120.0)


@given(grid=wandering())
@settings(max_examples=60, deadline=None)
def test_whatever_the_tempo_does_beats_and_bars_are_those_of_the_track(grid: Grid) -> None:
    with TemporaryDirectory() as folder:
        for tempo in assert_same_beats(grid, Path(folder)):
            assert (round(tempo.Inizio, 3), round(tempo.Bpm, 2)) == (tempo.Inizio, tempo.Bpm)
            numerator = int(tempo.Metro.split("/")[0])
            assert numerator in BEATS_A_BAR.values()
            assert 1 <= tempo.Battito <= numerator


def test_sections_are_memory_cues_and_hot_cues_as_far_as_there_is_room(tmp_path: Path) -> None:
    sections = parts(12)
    song = a_song(tmp_path, STEADY, sections)
    (track,) = read(collection({A_FILE: song}, {}), tmp_path).get_tracks()
    hot = [(mark.Num, mark.Name, mark.Start, mark.Type) for mark in track.marks if mark.Num >= 0]
    memory = [(mark.Name, mark.Start) for mark in track.marks if mark.Num == -1]
    assert hot == [(n, part.name, part.start_s, "cue") for n, part in enumerate(sections[:8])]
    assert memory == [(part.name, part.start_s) for part in sections[:10]]
    (told,) = Rekordbox().write(song, tmp_path, silent).notes
    assert told.startswith("of 12 sections the first 8 have hot cues")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("Am", "Am"), ("C#m", "Dbm"), ("G#m", "Abm"), ("D#m", "Ebm"), ("F#", "F#"), ("Gb", "F#"), ("C#", "Db")],
)  # fmt: skip
def test_keys_are_spelt_as_rekordbox_spells_them(ours: str, theirs: str) -> None:
    assert tonality(ours) == theirs


def test_what_is_no_key_is_left_out_and_told(tmp_path: Path) -> None:
    song = a_song(tmp_path, STEADY, tags=Tags(title="x", key="H#"))
    product = Rekordbox().write(song, tmp_path, silent)
    (track,) = RekordboxXml(product.files["rekordbox.xml"]).get_tracks()
    assert track.Tonality is None
    assert product.notes == ("'H#' is no key that rekordbox has: it goes out without one",)


@pytest.mark.parametrize(
    "path",
    [
        PurePosixPath('/Users/dj/Müsic & more/50% "off" #1 🎧 <a>\'s/' + "ä" * 120 + ".mp3"),
        PureWindowsPath(r"C:\Users\dj\Müsic\AC&DC 100%.flac"),
    ],
)
def test_a_location_leads_back_to_the_file(path: PurePosixPath | PureWindowsPath, tmp_path: Path) -> None:
    content = collection({path: a_song(tmp_path, STEADY)}, {})
    (track,) = ElementTree.fromstring(content).iter("TRACK")
    location = track.attrib["Location"]
    assert location.isascii()
    assert unquote(location) == "file://localhost/" + path.as_posix().lstrip("/")
    (read_back,) = read(content, tmp_path).get_tracks()
    assert read_back.Location == path.as_posix().lstrip("/")


def test_a_path_that_the_format_cannot_hold_is_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("back\\slash.mp3", "no text \udcff.mp3"):
        with pytest.raises(AudioError, match=r"^(?!.*\n).*can't stand in rekordbox's XML; rename it$"):
            collection({PurePosixPath("/music") / name: a_song(tmp_path, STEADY)}, {})


def test_several_songs_stand_in_one_collection_and_in_playlists_in_their_order(tmp_path: Path) -> None:
    paths = [PurePosixPath(f"/music/{name}.mp3") for name in ("a", "b", "c")]
    tags = [
        Tags(artist="Künstler", title=f"Lied/{n} 🎧", bpm=120.5, genre="House", date="2024-05-01")
        for n in range(3)
    ]
    songs = {path: a_song(tmp_path, STEADY, tags=known) for path, known in zip(paths, tags, strict=True)}
    xml = read(collection(songs, {"Warm up": paths[:2], "Péak/Time": [paths[2], paths[0]]}), tmp_path)
    assert (xml.frmt_version, xml.num_tracks) == ("1.0.0", 3)
    titles = {track.TrackID: track.Name for track in xml.get_tracks()}
    lists = {
        node.name: [titles[key] for key in node.get_tracks()] for node in xml.get_playlist().get_playlists()
    }
    assert lists == {
        "Warm up": ["Lied/0 🎧", "Lied/1 🎧"],
        "Péak/Time": ["Lied/2 🎧", "Lied/0 🎧"],
    }
    track = xml.get_track(0)
    assert (track.Artist, track.Genre, track.Year, track.AverageBpm) == ("Künstler", "House", 2024, 120.5)
    assert (track.TotalTime, track.SampleRate, track.Kind) == (2, 44_100, "MP3 File")


@pytest.mark.parametrize(
    ("sample_rate", "channels", "level"), [(8_000, 1, 0.1), (192_000, 2, 0.1), (44_100, 2, 0.0)]
)
def test_a_song_without_beats_goes_out_without_a_grid_and_says_so(
    sample_rate: int, channels: int, level: float, tmp_path: Path
) -> None:
    song = a_song(tmp_path, NO_BEATS, sample_rate=sample_rate, channels=channels, level=level)
    product = Rekordbox(at=Path("/music")).write(song, tmp_path, silent)
    (track,) = RekordboxXml(product.files["rekordbox.xml"]).get_tracks()
    assert track.tempos == []
    assert track.AverageBpm is None
    assert product.notes == ("no beats were heard: it goes out without a beat grid",)


def test_the_owners_file_is_named_where_it_is_and_a_copy_where_it_is_not(tmp_path: Path) -> None:
    source = tmp_path / "mine.flac"
    sf.write(source, [[0.1, 0.1]] * 100, 44_100)
    song = a_song(tmp_path, STEADY, source=source)
    product = Rekordbox().write(song, tmp_path, silent)
    assert list(product.files) == ["rekordbox.xml"]
    assert RekordboxXml(product.files["rekordbox.xml"]).get_track(0).Location == str(source).lstrip("/")
    source.unlink()
    product = Rekordbox(at=Path("/volumes/stick")).write(song, tmp_path, silent)
    assert list(product.files) == ["rekordbox.xml", "Björk - Jóga (Original).flac"]
    assert sf.info(product.files["Björk - Jóga (Original).flac"]).frames == song.original.frames
    (track,) = RekordboxXml(product.files["rekordbox.xml"]).get_tracks()
    assert track.Location == "volumes/stick/Björk - Jóga (Original).flac"


def test_of_several_songs_each_note_names_those_it_is_of(tmp_path: Path) -> None:
    grids = {"One": NO_BEATS, "Two": STEADY, "Three": NO_BEATS}
    songs = [a_song(tmp_path, grid, tags=Tags(artist="A", title=name)) for name, grid in grids.items()]
    product = Rekordbox().write_all(songs, tmp_path, silent)
    assert product.notes == ("A – One, A – Three: no beats were heard: it goes out without a beat grid",)


def test_warnings_that_python_hides_stay_hidden_afterwards() -> None:
    """pyrekordbox has every DeprecationWarning of the process shown."""
    code = (
        "from resonate_resources.exporting.rekordbox import collection\n"
        "import warnings\n"
        "collection({}, {})\n"
        "warnings.warn_explicit('old', DeprecationWarning, 'elsewhere.py', 1, 'elsewhere')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
