from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, one_key_at_a_time, read_notes, write_notes
from resonate_resources.recordings.tempo_map import TempoMap

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
    write_notes(tmp_path / "line.mid", notes, tempo=TempoMap.steady(tempo_bpm), name="bass", program=33)
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
    write_notes(
        tmp_path / "d.mid",
        [stroke],
        tempo=TempoMap.steady(100),
        name="drums",
        program=0,
        channel=DRUM_CHANNEL,
    )
    (part,) = pretty_midi.PrettyMIDI(str(tmp_path / "d.mid")).instruments
    assert part.is_drum
    assert part.name == "drums"


def test_no_notes_make_a_valid_file(tmp_path: Path) -> None:
    write_notes(tmp_path / "empty.mid", [], tempo=TempoMap.steady(90), name="vocals", program=52)
    read = mido.MidiFile(tmp_path / "empty.mid")
    assert [message.tempo for message in read.tracks[0] if message.type == "set_tempo"] == [
        mido.bpm2tempo(90)
    ]
    assert not [message for track in read.tracks for message in track if message.type == "note_on"]


def test_without_a_tempo_the_ruler_is_midis_own_and_the_file_says_so(tmp_path: Path) -> None:
    """500 000 µs a quarter note is what Standard MIDI Files 1.0 has where no tempo is said."""
    write_notes(
        tmp_path / "x.mid", [Note(0.5, 1.0, 60, 100)], tempo=TempoMap.steady(None), name="vocals", program=52
    )
    read = mido.MidiFile(tmp_path / "x.mid")
    assert [message.tempo for message in read.tracks[0] if message.type == "set_tempo"] == [500_000]
    (told,) = [message.text for message in read.tracks[0] if message.type == "text"]
    assert told == "No tempo was found: 120 BPM is only a ruler"
    (note,) = pretty_midi.PrettyMIDI(str(tmp_path / "x.mid")).instruments[0].notes
    assert (note.start, note.end) == pytest.approx((0.5, 1.0), abs=1e-3)


@pytest.mark.parametrize("tempo_bpm", [0.0, -120.0, 3.0, math.nan])
def test_a_tempo_that_midi_cannot_hold_is_refused(tempo_bpm: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="tempo"):
        write_notes(tmp_path / "x.mid", [], tempo=TempoMap.steady(tempo_bpm), name="x", program=0)


@st.composite
def bent_lines(draw: st.DrawFn) -> list[Note]:
    """Notes of a line with a bend every 10 ms or more, as far as 12 semitones."""
    at, reach = draw(st.floats(0, 60)), draw(st.sampled_from([0.5, 2.0, 12.0]))
    notes = []
    for _ in range(draw(st.integers(1, 6))):
        length = draw(st.floats(0.1, 2))
        count = draw(st.integers(0, int(length / 0.02)))
        bends = tuple((0.01 * k, draw(st.floats(-reach, reach))) for k in range(min(count, 8)))
        notes.append(Note(at, at + length, draw(st.integers(50, 53)), 90, bends))
        at += length + draw(st.sampled_from([0.0, 0.1, -1e-12]))  # in floats one may end a hair too late
    return notes


@given(notes=bent_lines(), tempo_bpm=st.floats(60, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_another_reader_finds_the_bends_in_their_range_and_the_wheel_at_rest_between_notes(
    notes: list[Note], tempo_bpm: float, tmp_path: Path
) -> None:
    write_notes(tmp_path / "bent.mid", notes, tempo=TempoMap.steady(tempo_bpm), name="vocals", program=52)
    (part,) = pretty_midi.PrettyMIDI(str(tmp_path / "bent.mid")).instruments
    controls = {change.number: change.value for change in part.control_changes if change.number == 6}
    reach = controls.get(6, 2)
    tick = 60 / tempo_bpm / 960
    turns = sorted(part.pitch_bends, key=lambda bend: bend.time)
    for note in notes:
        for (at, bend), (following, _) in pairwise([*note.bends, (note.duration_s, 0.0)]):
            middle = note.onset_s + (at + following) / 2
            stands = [turn.pitch for turn in turns if turn.time <= middle][-1]
            assert stands / 8192 * reach == pytest.approx(bend, abs=1.01 * reach / 8192)
    if any(note.bends for note in notes):
        after = max(note.offset_s for note in notes) + tick
        assert [turn.pitch for turn in turns if turn.time <= after][-1:] in ([0], [])
    else:
        assert not turns
        assert not part.control_changes


@given(notes=bent_lines())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bends_are_read_as_they_were_written(notes: list[Note], tmp_path: Path) -> None:
    write_notes(tmp_path / "bent.mid", notes, tempo=TempoMap.steady(120), name="vocals", program=52)
    for read, written in zip(read_notes(tmp_path / "bent.mid"), notes, strict=True):
        told = dict(read.bends)
        for at, bend in written.bends:
            near = [value for when, value in told.items() if abs(when - at) < 0.0015]
            assert near[-1:] == [pytest.approx(bend, abs=0.003)] or abs(bend) < 0.003


def test_bends_of_notes_that_sound_together_are_refused(tmp_path: Path) -> None:
    chord = [Note(0.0, 1.0, 60, 90, ((0.0, 0.5),)), Note(0.5, 1.5, 64, 90)]
    with pytest.raises(ValueError, match="sound together"):
        write_notes(tmp_path / "x.mid", chord, tempo=TempoMap.steady(120), name="x", program=0)


def test_a_bend_that_instruments_do_not_follow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="over 24"):
        write_notes(
            tmp_path / "x.mid",
            [Note(0, 1, 60, 90, ((0.0, 25.0),))],
            tempo=TempoMap.steady(120),
            name="x",
            program=0,
        )


def test_a_key_that_is_struck_again_ends_and_strokes_in_unison_are_one(tmp_path: Path) -> None:
    notes = [Note(0, 2, 60, 80), Note(1, 3, 60, 90), Note(1.01, 4, 60, 70), Note(0.5, 5, 64, 60)]
    held = one_key_at_a_time(notes)
    assert held == [Note(0, 1, 60, 80), Note(0.5, 5, 64, 60), Note(1, 4, 60, 90)]
    write_notes(tmp_path / "held.mid", held, tempo=TempoMap.steady(120), name="piano", program=0)
    assert read_notes(tmp_path / "held.mid") == held
