from __future__ import annotations

import math
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, write_notes

tempi = st.floats(20, 300)


@st.composite
def lines(draw: st.DrawFn) -> list[Note]:
    """Notes that follow each other on few pitches, seconds to minutes into a song."""
    at = draw(st.floats(0, 600))
    notes = []
    for _ in range(draw(st.integers(0, 12))):
        length = draw(st.floats(0.05, 10))
        notes.append(Note(at, at + length, draw(st.integers(21, 24)), draw(st.integers(1, 127))))
        at += length + draw(st.sampled_from([0.0, 0.1, 3.0]))
    return notes


@given(notes=lines(), tempo_bpm=tempi)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_reader_finds_the_notes_and_the_tempo(
    notes: list[Note], tempo_bpm: float, tmp_path: Path
) -> None:
    write_notes(tmp_path / "line.mid", notes, tempo_bpm=tempo_bpm, name="bass", program=33)
    read = pretty_midi.PrettyMIDI(str(tmp_path / "line.mid"))
    _, tempi_read = read.get_tempo_changes()
    assert list(tempi_read) == pytest.approx([tempo_bpm], rel=1e-5)
    found = sorted((note for part in read.instruments for note in part.notes), key=lambda note: note.start)
    assert [(note.pitch, note.velocity) for note in found] == [(note.pitch, note.velocity) for note in notes]
    tick = 60 / tempo_bpm / 960
    for theirs, ours in zip(found, notes, strict=True):
        assert theirs.start == pytest.approx(ours.onset_s, abs=tick)
        assert theirs.end == pytest.approx(ours.offset_s, abs=tick)


def test_drums_are_on_channel_ten(tmp_path: Path) -> None:
    stroke = Note(0.5, 0.6, 36, 100)
    write_notes(tmp_path / "d.mid", [stroke], tempo_bpm=100, name="drums", program=0, channel=DRUM_CHANNEL)
    (part,) = pretty_midi.PrettyMIDI(str(tmp_path / "d.mid")).instruments
    assert part.is_drum
    assert part.name == "drums"


def test_no_notes_make_a_valid_file(tmp_path: Path) -> None:
    write_notes(tmp_path / "empty.mid", [], tempo_bpm=90, name="vocals", program=52)
    read = mido.MidiFile(tmp_path / "empty.mid")
    assert [message.tempo for message in read.tracks[0] if message.type == "set_tempo"] == [
        mido.bpm2tempo(90)
    ]
    assert not [message for track in read.tracks for message in track if message.type == "note_on"]


def test_without_a_tempo_the_ruler_is_midis_own_and_the_file_says_so(tmp_path: Path) -> None:
    """500 000 µs a quarter note is what Standard MIDI Files 1.0 has where no tempo is said."""
    write_notes(tmp_path / "x.mid", [Note(0.5, 1.0, 60, 100)], tempo_bpm=None, name="vocals", program=52)
    read = mido.MidiFile(tmp_path / "x.mid")
    assert [message.tempo for message in read.tracks[0] if message.type == "set_tempo"] == [500_000]
    (told,) = [message.text for message in read.tracks[0] if message.type == "text"]
    assert told == "No tempo was found: 120 BPM is only a ruler"
    (note,) = pretty_midi.PrettyMIDI(str(tmp_path / "x.mid")).instruments[0].notes
    assert (note.start, note.end) == pytest.approx((0.5, 1.0), abs=1e-3)


@pytest.mark.parametrize("tempo_bpm", [0.0, -120.0, 3.0, math.nan])
def test_a_tempo_that_midi_cannot_hold_is_refused(tempo_bpm: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tempo"):
        write_notes(tmp_path / "x.mid", [], tempo_bpm=tempo_bpm, name="x", program=0)
