"""One MIDI file of a song, as pretty_midi and symusic read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import mido
import pretty_midi
import pytest
import symusic

from resonate_resources.exporting.multitrack_midi import MultitrackMidi
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, write_notes
from resonate_resources.recordings.music import KeyFrom
from resonate_resources.recordings.recording import AudioError, silent
from resonate_resources.recordings.tags import Tags
from resonate_tests.resources.exporting.songs_for_decks import DRIFTING, NO_BEATS, a_song

PLAYED = {
    "vocals": [Note(1.0, 1.5, 60, 90, ((0.0, 0.0), (0.2, 1.5))), Note(2.0, 2.5, 62, 80)],
    "drums": [Note(1.0, 1.1, 36, 100), Note(1.5, 1.6, 38, 100)],
    "bass": [Note(1.0, 2.0, 40, 70)],
}


def song_with(folder: Path, played: Mapping[str, Sequence[Note]], song: Song) -> Song:
    notes = {}
    for program, (stem, each) in enumerate(played.items()):
        notes[stem] = folder / f"{stem}.mid"
        channel = DRUM_CHANNEL if stem == "drums" else 0
        write_notes(
            notes[stem], each, tempo=song.tempo_map, name=stem.capitalize(), program=program, channel=channel
        )
    return replace(song, notes=notes)


def written(folder: Path, song: Song) -> tuple[Path, Product]:
    into = folder / "out"
    into.mkdir()
    product = MultitrackMidi().write(song, into, silent)
    [(name, path)] = product.files.items()
    assert path.name == name
    return path, product


def test_every_stem_is_a_track_on_a_channel_of_its_own(tmp_path: Path) -> None:
    path, _ = written(tmp_path, song_with(tmp_path, PLAYED, a_song(tmp_path, DRIFTING)))
    told = {one.name: one for one in pretty_midi.PrettyMIDI(str(path)).instruments}
    assert {name: (one.program, one.is_drum) for name, one in told.items()} == {
        "Vocals": (0, False),
        "Drums": (1, True),
        "Bass": (2, False),
    }
    for stem, notes in PLAYED.items():
        read = [(note.pitch, note.velocity) for note in told[stem.capitalize()].notes]
        assert read == [(note.pitch, note.velocity) for note in notes]
        starts = [note.start for note in told[stem.capitalize()].notes]
        assert starts == pytest.approx([note.onset_s for note in notes], abs=0.0005)
    assert max(bend.pitch for bend in told["Vocals"].pitch_bends) == round(1.5 / 2 * 8192)
    assert not told["Bass"].pitch_bends  # on another channel than the voice that bends
    channels = [
        {message.channel for message in track if not message.is_meta}
        for track in mido.MidiFile(path).tracks[1:]
    ]
    assert channels == [{0}, {DRUM_CHANNEL}, {1}]


def test_sections_keys_and_metres_stand_in_the_first_track(tmp_path: Path) -> None:
    song = replace(
        a_song(tmp_path, DRIFTING, [Marker("Intro – Ä", 0.0, 9.0), Marker("Chorus", 9.0, 20.0)]),
        keys=[KeyFrom(0.0, "A minor"), KeyFrom(12.0, "Eb major")],
    )
    path, _ = written(tmp_path, song)
    score = symusic.Score(str(path)).to("second")
    assert [(one.text, one.time) for one in score.markers] == [
        ("Intro – Ä", 0.0),
        ("Chorus", pytest.approx(9.0, abs=0.001)),
    ]
    keys = [(one.key_name, one.time) for one in pretty_keys(path)]
    assert keys == [("A minor", pytest.approx(0.0)), ("Eb Major", pytest.approx(12.0, abs=0.001))]
    assert [(one.numerator, one.denominator) for one in score.time_signatures][-1] == (4, 4)


def pretty_keys(path: Path) -> list[object]:
    changes = pretty_midi.PrettyMIDI(str(path)).key_signature_changes
    for one in changes:
        one.key_name = pretty_midi.key_number_to_key_name(one.key_number)
    return changes


def test_without_notes_or_tempo_it_says_so(tmp_path: Path) -> None:
    _, product = written(tmp_path, a_song(tmp_path, NO_BEATS))
    assert product.notes == (
        "no stem has notes: tempi and markers alone",
        "no tempo is known: the file's is a mere ruler",
    )


def test_more_stems_than_channels_are_refused(tmp_path: Path) -> None:
    played = {f"stem {number}": [Note(1.0, 2.0, 60, 80)] for number in range(16)}
    song = song_with(tmp_path, played, a_song(tmp_path, DRIFTING))
    with pytest.raises(AudioError, match="there are more stems with notes"):
        written(tmp_path, song)


def test_a_file_that_is_no_midi_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bass.mid").write_bytes(b"MThd")
    song = replace(a_song(tmp_path, DRIFTING, tags=Tags(title="x")), notes={"bass": tmp_path / "bass.mid"})
    with pytest.raises(AudioError, match=r"^bass.mid: cannot be read as MIDI"):
        written(tmp_path, song)
