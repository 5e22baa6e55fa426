"""One drifting track, whose beats are known, as readers by others find it in what programs are told."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
import symusic
from serato_tools.track_beatgrid import TrackBeatgrid

from resonate_resources.exporting.ableton.target import AbletonLive
from resonate_resources.exporting.archive import Archive
from resonate_resources.exporting.dawproject import DawProject
from resonate_resources.exporting.multitrack_midi import MultitrackMidi
from resonate_resources.exporting.rekordbox import Rekordbox
from resonate_resources.exporting.serato import Serato
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recordings.recording import silent
from resonate_resources.recordings.tempo_map import Grid, TimeSignature
from resonate_tests.reader_environments import read_with
from resonate_tests.resources.exporting.dawproject_reading import Read
from resonate_tests.resources.exporting.songs_for_decks import a_song
from resonate_tests.resources.exporting.test_rekordbox import beats_of as beats_of_rekordbox
from resonate_tests.resources.exporting.test_rekordbox import read as read_rekordbox
from resonate_tests.resources.exporting.test_serato import beats_of as beats_of_serato
from resonate_tests.resources.exporting.test_serato import found as found_by_serato_tools

SECONDS = 60.0
PICKUP = 3


def _played() -> np.ndarray:
    """Where a band that hurries and drags has its beats: 112 to 128 BPM and back, from 0.413 s on."""
    beats, at = [], 0.413
    while at < SECONDS - 1:
        beats.append(at)
        at += 60 / (120 + 8 * np.sin(at / 9) + 1.5 * np.sin(at))
    return np.array(beats)


PLAYED = _played()
TRACKED = np.round(PLAYED, 2)
"""As a tracker hears them, in steps of 10 ms."""
SECTIONS = (
    Marker("Intro", 0.0, float(TRACKED[PICKUP + 16])),
    Marker("Chorus", float(TRACKED[PICKUP + 16]), SECONDS),
)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Song:
    downs = TRACKED[PICKUP::4].tolist()
    grid = Grid(TRACKED.tolist(), downs, [TimeSignature(downs[0], 4, 4)])
    return a_song(tmp_path_factory.mktemp("song"), grid, SECTIONS, seconds=SECONDS, sample_rate=8000)


@pytest.fixture(scope="module")
def told(
    song: Song, dawproject_npm: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[float]]:
    """Program → seconds of the beats. In programs that count in quarter notes, a beat is each one from the first
    beat on: that is what their grids show."""

    def written(target: Any) -> Path:
        into = tmp_path_factory.mktemp("out")
        return next(iter(target.write(song, into, silent).files.values()))

    first = song.beats()[0].quarter
    quarters = [first + number for number in range(len(PLAYED))]
    live = read_with("logic2ableton", str(written(AbletonLive())), str(quarters))
    path = written(DawProject())
    found = Read(song, None, json.loads(dawproject_npm("--silent", "run", "read", "--", str(path))), path)
    warped = np.array(found.warps("Master"))
    xml = read_rekordbox(written(Rekordbox()).read_bytes(), tmp_path_factory.mktemp("read"))
    serato = found_by_serato_tools(written(Serato()), TrackBeatgrid)
    midi = written(MultitrackMidi())
    pretty, ticks = pretty_midi.PrettyMIDI(str(midi)), [round(quarter * 960) for quarter in quarters]
    # symusic turns events, not ticks, into seconds: beats as notes of its own.
    score = symusic.Score(str(midi))
    score.tracks.append(symusic.Track())
    score.tracks[-1].notes.extend(symusic.Note(tick, 1, 60, 1) for tick in ticks)
    return {
        "Live, by its tempo": live["by_tempo"],
        "Live, by warp": live["by_warp"]["Master"],
        "DAWproject, by its tempo": [found.second(quarter) for quarter in quarters],
        "DAWproject, by warp": np.interp(quarters, warped[:, 0], warped[:, 1]).tolist(),
        "rekordbox": [second for second, _ in beats_of_rekordbox(xml.get_tracks()[0].tempos, TRACKED[-1])],
        "Serato": beats_of_serato(serato, TRACKED[-1]),
        "MIDI, pretty_midi": [float(pretty.tick_to_time(tick)) for tick in ticks],
        "MIDI, symusic": [note.time for note in score.to("second").tracks[-1].notes],
        "archive": _of_archive(written(Archive())),
    }


def _of_archive(path: Path) -> list[float]:
    with zipfile.ZipFile(path) as archive:
        return [beat["second"] for beat in json.loads(archive.read("metadata.json"))["beats"]]


def test_all_programs_are_told_the_same_beat_at_the_same_millisecond(told: dict[str, list[float]]) -> None:
    assert {len(seconds) for seconds in told.values()} == {len(PLAYED)}
    seconds = np.array([*told.values()])
    assert np.abs(seconds - np.median(seconds, axis=0)).max() < 0.001


def test_and_that_is_where_the_beats_were_played(told: dict[str, list[float]]) -> None:
    """Heard in steps of 10 ms, and kept within 8 ms of where they were heard."""
    off = np.median(np.array([*told.values()]), axis=0) - PLAYED
    assert np.abs(off).max() < 0.013
    assert np.sqrt(np.mean(off**2)) < 0.006


def test_sections_begin_at_the_same_millisecond_everywhere(
    song: Song, dawproject_npm: Callable[..., str], tmp_path: Path
) -> None:
    path = next(iter(DawProject().write(song, tmp_path, silent).files.values()))
    found = Read(song, None, json.loads(dawproject_npm("--silent", "run", "read", "--", str(path))), path)
    markers = found.xml("project.xml").find("Arrangement/Markers")  # openDAW's reader finds none in any file
    product = Rekordbox().write(song, tmp_path, silent)
    (track,) = read_rekordbox(product.files["rekordbox.xml"].read_bytes(), tmp_path).get_tracks()
    midi = next(iter(MultitrackMidi().write(song, tmp_path, silent).files.values()))
    begin = [section.start_s for section in SECTIONS]
    assert [found.second(float(marker.get("time"))) for marker in markers] == pytest.approx(begin, abs=1e-3)
    assert [mark.Start for mark in track.marks if mark.Num == -1] == pytest.approx(begin, abs=1e-3)
    heard = symusic.Score(str(midi)).to("second").markers
    assert [(marker.text, marker.time) for marker in heard] == [
        (section.name, pytest.approx(section.start_s, abs=1e-3)) for section in SECTIONS
    ]


def test_a_track_without_beats_says_so_everywhere(song: Song, tmp_path: Path) -> None:
    silent_song = a_song(tmp_path, Grid(), SECTIONS, seconds=4, sample_rate=8000)
    without = replace(song, grid=silent_song.grid, tempo_map=silent_song.tempo_map)
    for number, target in enumerate(
        (AbletonLive(), DawProject(), Rekordbox(), Serato(), MultitrackMidi(), Archive())
    ):
        into = tmp_path / str(number)
        into.mkdir()
        notes = " ".join(target.write(without, into, silent).notes)
        assert "no beats" in notes or "no tempo" in notes, target
