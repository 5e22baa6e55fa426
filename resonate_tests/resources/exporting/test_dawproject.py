"""A DAWproject as openDAW's reader finds it, by the format's schema, with notes as pretty_midi has them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile as sf
from lxml import etree

from resonate_resources.exporting.dawproject import DawProject
from resonate_resources.exporting.song import KeyFrom, Marker, Song
from resonate_resources.recordings.midi import Note, write_notes
from resonate_resources.recordings.recording import AudioError, Recording, silent, write_samples
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_tests.resources.exporting.dawproject_reading import Read
from resonate_tests.resources.exporting.dawproject_schema import METADATA, PROJECT, faults
from resonate_tests.resources.exporting.songs_for_decks import mapped

SECONDS = 24.0
FOUR = ("vocals", "drums", "bass", "other")


def _drifting() -> Grid:
    """From 118 to 124 BPM, from 0.37 s on, with a pickup of two beats."""
    beats = 0.37 + np.cumsum([0.0, *(60 / np.linspace(118, 124, 45))])
    return Grid(beats.tolist(), beats[2::4].tolist(), [TimeSignature(float(beats[2]), 4, 4)])


def _steady(bpm: float, beats_a_bar: int, signature: tuple[int, int]) -> Grid:
    beats = np.arange(0, SECONDS - 0.01, 60 / bpm)
    return Grid(beats.tolist(), beats[::beats_a_bar].tolist(), [TimeSignature(0.0, *signature)])


def _changing() -> Grid:
    """Eight bars of three, then fours, at 150 BPM."""
    beats = np.arange(0, SECONDS - 0.01, 0.4)
    signatures = [TimeSignature(0.0, 3, 4), TimeSignature(float(beats[24]), 4, 4)]
    return Grid(beats.tolist(), [*beats[:24:3].tolist(), *beats[24::4].tolist()], signatures)


GRIDS = {
    "steady": _steady(120, 4, (4, 4)),
    "slow": _steady(41, 4, (4, 4)),
    "drifting": _drifting(),
    "six eighths": _steady(70, 2, (6, 8)),
    "changing": _changing(),
    "no beats": Grid(),
}
WITH_BEATS = [name for name in GRIDS if name != "no beats"]
NOTES = [Note(0.31, 0.72, 60, 64), Note(1.013, 5.4, 67, 127), Note(20.01, 23.9, 36, 1)]
SECTIONS = (Marker("Intro", 0.0, 4.2), Marker("Refrain", 4.2, 17.77), Marker("Schluß <&> 🎉", 17.77, 24.0))
TAGS = Tags(artist="Björk", title="Jóga", date="1997-09-15", genre="Electronic", comment="live")


def a_song(
    folder: Path,
    grid: Grid,
    *,
    stems: Sequence[str] = FOUR,
    tags: Tags = TAGS,
    rate: int = 8000,
    channels: int = 2,
    seconds: float = SECONDS,
    bpm: float | None = None,
    silence: bool = False,
) -> Song:
    def recorded(number: int, name: str) -> Recording:
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, (channels, round(seconds * rate)))
        return write_samples(folder / f"{number}.wav", (noise * (not silence)).astype(np.float32), rate)

    tempo = TempoMap.of(grid, bpm)
    write_notes(folder / "vocals.mid", NOTES, tempo=tempo, name="vocals", program=0)
    return Song(
        track="t",
        tags=tags,
        grid=grid,
        tempo_map=tempo,
        keys=[KeyFrom(0.0, "Eb major"), KeyFrom(12.5, "F minor")],
        sections=SECTIONS,
        original=recorded(99, "original"),
        stems={name: recorded(number, name) for number, name in enumerate(stems)},
        master=recorded(98, "master"),
        notes={"vocals": folder / "vocals.mid"},
    )


@pytest.fixture(scope="module")
def read(
    dawproject_npm: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Song], Read]:
    def written_and_read(song: Song) -> Read:
        product = DawProject().write(song, tmp_path_factory.mktemp("out"), silent)
        [(name, path)] = product.files.items()
        assert path.name == name
        return Read(
            song, product, json.loads(dawproject_npm("--silent", "run", "read", "--", str(path))), path
        )

    return written_and_read


@pytest.fixture(scope="module")
def of_grid(read: Callable[[Song], Read], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Read]:
    """What is read of a song with one of GRIDS."""
    return cache(lambda name: read(a_song(tmp_path_factory.mktemp("song"), GRIDS[name])))


@pytest.mark.parametrize("name", WITH_BEATS)
def test_beats_are_at_their_seconds_and_downbeats_on_bar_lines(
    name: str, of_grid: Callable[[str], Read]
) -> None:
    found, grid = of_grid(name), GRIDS[name]
    for track in (*map(str.capitalize, FOUR), "Master"):
        quarters, seconds = map(np.array, zip(*found.warps(track), strict=True))
        assert (np.diff(quarters) > 0).all()
        assert (np.diff(seconds) > 0).all()
        assert (quarters[0], seconds[0], seconds[-1]) == (0, 0, SECONDS)
        for beat in mapped(grid):
            assert np.abs(seconds - beat).min() < 1e-6
    placed = np.interp(mapped(grid), seconds, quarters)
    np.testing.assert_allclose([found.second(quarter) for quarter in placed], mapped(grid), atol=0.001)
    lines = np.array(found.bar_lines(quarters[-1]))
    for second in grid.downbeats_s:
        assert np.abs(lines - np.interp(second, seconds, quarters)).min() < 0.02  # 8 ms at 150 BPM
    first, last = grid.downbeats_s[0], grid.downbeats_s[-1]
    within = [line for line in lines if first - 0.01 < found.second(line) < last + 0.01]
    assert len(within) == len(grid.downbeats_s)


@pytest.mark.parametrize("name", WITH_BEATS)
def test_at_the_projects_own_tempo_the_sound_is_never_stretched(
    name: str, of_grid: Callable[[str], Read]
) -> None:
    found = of_grid(name)
    quarters, seconds = map(np.array, zip(*found.warps("Drums"), strict=True))
    heard = np.array([found.second(quarter) for quarter in quarters])
    np.testing.assert_allclose(np.diff(heard) / np.diff(seconds), 1, rtol=2e-5)


def test_the_tempo_of_a_drifting_song_goes_from_118_to_124(of_grid: Callable[[str], Read]) -> None:
    found = of_grid("drifting")
    bpm = [point["value"] for point in found.project["arrangement"]["tempoAutomation"]["points"]]
    played = bpm[1:]  # the first is of the time before the first beat
    assert len(played) > 2
    assert played == sorted(played)
    assert (played[0], played[-1]) == pytest.approx((118, 124), abs=2)


def test_a_steady_song_has_one_tempo_and_one_time_signature(of_grid: Callable[[str], Read]) -> None:
    found = of_grid("six eighths")
    # Quarter notes, of 70 dotted ones.
    assert found.project["transport"]["tempo"]["value"] == pytest.approx(105, abs=1e-3)
    assert found.project["transport"]["timeSignature"]["numerator"] == 6
    assert not {"tempoAutomation", "timeSignatureAutomation"} & found.project["arrangement"].keys()


@pytest.mark.parametrize("name", GRIDS)
def test_documents_are_as_the_schema_allows(name: str, of_grid: Callable[[str], Read]) -> None:
    found = of_grid(name)
    assert faults(found.xml("project.xml"), PROJECT) == []
    assert faults(found.xml("metadata.xml"), METADATA) == []


def test_what_the_schema_does_not_allow_is_told() -> None:
    wrong = etree.fromstring(
        "<Project version='1.0'><Transport/><Application name='x' version='1'/>"
        "<Structure><Track id='a' destination='b' contentType='song'/></Structure></Project>"
    )
    assert faults(wrong, PROJECT) == [
        "Project has Transport Application Structure ",
        "Track has destination",
        "Track has contentType=song",
        "Track refers to b",
    ]


def test_stems_lie_in_a_group_in_their_colours_and_the_master_muted_beside_it(
    of_grid: Callable[[str], Read],
) -> None:
    found = of_grid("steady")
    group, master, notes, output = found.project["structure"]
    assert [track["name"] for track in group["tracks"]] == ["Vocals", "Drums", "Bass", "Other"]
    assert (group["contentType"], group["channel"]["role"]) == ("tracks", "submix")
    assert len({track["color"] for track in group["tracks"]}) == 4
    assert (notes["name"], notes["contentType"]) == ("Vocals (MIDI)", "notes")
    assert notes["color"] == group["tracks"][0]["color"]
    assert output["channel"]["role"] == "master"
    assert {track["channel"]["destination"] for track in group["tracks"]} == {group["channel"]["id"]}
    assert {each["channel"]["destination"] for each in (group, master, notes)} == {output["channel"]["id"]}
    assert [track["name"] for track in found.tracks() if track["channel"]["mute"]["value"]] == ["Master"]
    for track in found.tracks():
        volume, pan = track["channel"]["volume"], track["channel"]["pan"]
        assert (volume["unit"], volume["value"], pan["unit"], pan["value"]) == (
            "linear",
            1,
            "normalized",
            0.5,
        )


def test_the_sound_is_that_of_the_stems_to_the_bit(of_grid: Callable[[str], Read]) -> None:
    found = of_grid("drifting")
    song = found.song
    with zipfile.ZipFile(found.path) as archive:
        assert archive.testzip() is None
        for name, stem in {**song.stems, "master": song.master}.items():
            [warps] = found.clip(name.capitalize())["content"]
            [audio] = warps["content"]
            assert found.found["sizes"][audio["file"]["path"]] == stem.path.stat().st_size
            samples, rate = sf.read(io.BytesIO(archive.read(audio["file"]["path"])), dtype="float32")
            np.testing.assert_array_equal(samples.T, stem.read())
            assert (audio["sampleRate"], audio["channels"], audio["duration"]) == (rate, 2, SECONDS)


@pytest.mark.parametrize("name", ["drifting", "changing", "no beats"])
def test_notes_are_where_pretty_midi_has_them(name: str, of_grid: Callable[[str], Read]) -> None:
    found = of_grid(name)
    song = found.song
    [instrument] = pretty_midi.PrettyMIDI(str(song.notes["vocals"])).instruments
    clip = found.clip("Vocals (MIDI)")
    [timeline] = clip["content"]
    second = found.second if clip["contentTimeUnit"] == "beats" else float
    assert len(timeline["notes"]) == len(instrument.notes) == 3
    for ours, theirs in zip(timeline["notes"], instrument.notes, strict=True):
        assert (ours["key"], round(ours["vel"] * 127)) == (theirs.pitch, theirs.velocity)
        assert second(ours["time"]) == pytest.approx(theirs.start, abs=0.0002)
        assert second(ours["time"] + ours["duration"]) == pytest.approx(theirs.end, abs=0.0002)


@pytest.mark.parametrize("name", ["drifting", "no beats"])
def test_sections_are_markers(name: str, of_grid: Callable[[str], Read]) -> None:
    """Read without openDAW's reader, which finds no markers in any file: it looks for them inside the first one."""
    found = of_grid(name)
    markers = found.xml("project.xml").find("Arrangement/Markers")
    second = found.second if markers.get("timeUnit") == "beats" else float
    read_back = [(marker.get("name"), second(float(marker.get("time")))) for marker in markers]
    assert [name for name, _ in read_back] == [section.name for section in SECTIONS]
    assert [at for _, at in read_back] == pytest.approx([section.start_s for section in SECTIONS], abs=0.001)


def test_tags_and_key_stand_in_the_metadata(of_grid: Callable[[str], Read]) -> None:
    found = of_grid("steady").found["metadata"]
    assert (found["title"], found["artist"], found["year"]) == ("Jóga", "Björk", "1997")
    assert found["comment"] == "live. Key: Eb major from 0.0 s on, then F minor from 12.5 s on"


def test_without_beats_it_counts_in_seconds_and_says_so(of_grid: Callable[[str], Read]) -> None:
    found = of_grid("no beats")
    clip = found.clip("Bass")
    [audio] = clip["content"]
    assert (audio["type"], clip["contentTimeUnit"], clip["duration"]) == ("AudioSchema", "seconds", SECONDS)
    assert found.project["arrangement"]["lanes"]["timeUnit"] == "seconds"
    assert "transport" not in found.project
    assert [note for note in found.product.notes if "beats" in note]
    assert [note for note in found.product.notes if "tempo" in note]


def test_a_known_tempo_without_beats_is_told_and_warps_nothing(
    read: Callable[[Song], Read], tmp_path: Path
) -> None:
    found = read(a_song(tmp_path, Grid(), bpm=97.5))
    assert found.project["transport"]["tempo"]["value"] == pytest.approx(97.5, abs=1e-4)
    assert found.clip("Bass")["content"][0]["type"] == "AudioSchema"


@pytest.mark.parametrize(
    ("stems", "rate", "channels", "silence"),
    [
        (("drums", "bass", "other"), 192_000, 1, False),
        ((*FOUR, "piano", "guitar"), 8000, 2, True),
        (("Größe/Höhe", "größe\\höhe", "🎹" * 300, "a\x00b\ud800"), 44_100, 6, False),
        ((), 22_050, 2, False),
    ],
    ids=["three mono stems at 192 kHz", "six silent stems", "strange names", "no stems"],
)
def test_songs_of_all_sorts_are_whole(
    stems: Sequence[str],
    rate: int,
    channels: int,
    silence: bool,
    read: Callable[[Song], Read],
    tmp_path: Path,
) -> None:
    song = a_song(
        tmp_path, GRIDS["steady"], stems=stems, rate=rate, channels=channels, seconds=2.0, silence=silence
    )
    found = read(song)
    assert faults(found.xml("project.xml"), PROJECT) == []
    audios = [track for track in found.tracks() if track["contentType"] == "audio"]
    assert len(audios) == len(stems) + 1
    with zipfile.ZipFile(found.path) as archive:
        sounds = [name for name in archive.namelist() if name.startswith("audio/")]
        assert len({name.lower() for name in sounds}) == len(stems) + 1
        for name in sounds:
            assert name.count("/") == 1
            assert len(name.rpartition("/")[2].encode()) < 255
            assert sf.info(io.BytesIO(archive.read(name))).samplerate == rate


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (Tags(artist="AC/DC", title="T.N.T."), "AC DC - T.N.T.dawproject"),
        (Tags(title="🎉 Ä"), "🎉 Ä.dawproject"),
        (Tags(), "Untitled.dawproject"),
        (Tags(artist="x" * 300, title="y"), "x" * 180 + ".dawproject"),
    ],
)
def test_files_are_called_by_artist_and_title(tags: Tags, name: str, tmp_path: Path) -> None:
    song = a_song(tmp_path, Grid(), tags=tags, seconds=0.1)
    assert list(DawProject().write(song, tmp_path, silent).files) == [name]


def test_the_same_song_makes_the_same_bytes(tmp_path: Path) -> None:
    song = a_song(tmp_path, GRIDS["drifting"])
    [first] = DawProject().write(song, tmp_path, silent).files.values()
    before = first.read_bytes()
    for sound in (song.master, *song.stems.values()):
        sound.path.touch()
    [again] = DawProject().write(song, tmp_path, silent).files.values()
    assert again.read_bytes() == before


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    parts: list[float] = []
    DawProject().write(a_song(tmp_path, Grid(), rate=96_000), tmp_path, parts.append)
    assert parts == sorted(parts)
    assert len(parts) > 5
    assert parts[-1] == 1


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    song = a_song(tmp_path, Grid(), seconds=0.1)
    with pytest.raises(AudioError, match=r"Björk - Jóga\.dawproject: cannot be written"):
        DawProject().write(song, tmp_path / "nowhere", silent)
    gone = replace(song, master=replace(song.master, path=tmp_path / "gone.wav"))
    with pytest.raises(AudioError, match=r"gone\.wav"):
        DawProject().write(gone, tmp_path, silent)
    assert not list(tmp_path.glob("*.dawproject"))


def test_notes_that_bend_are_told_to_be_straight(tmp_path: Path) -> None:
    song = a_song(tmp_path, Grid(), seconds=0.1)
    bent = [Note(0.0, 1.0, 60, 90, ((0.0, 0.0), (0.5, 1.5))), Note(1.5, 2.0, 62, 90)]
    write_notes(song.notes["vocals"], bent, tempo=song.tempo_map, name="vocals", program=0)
    product = DawProject().write(song, tmp_path, silent)
    assert [
        note for note in product.notes if note == "notes that bend in the MIDI files and are straight here: 1"
    ]
