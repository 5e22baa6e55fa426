from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.audio import AudioError
from resonate_resources.regeneration.notes import (
    LONGEST_NOTE_S,
    Note,
    playable,
    read_notes,
    within_polyphony,
)

NOTES = st.lists(
    st.builds(
        Note,
        onset=st.floats(0, 60),
        pitch=st.integers(40, 44),
        duration=st.floats(0, 60),
        velocity=st.integers(1, 127),
    ),
    max_size=40,
)


def test_notes_are_read_at_the_times_that_tempo_changes_give_them(tmp_path: Path) -> None:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120), time=0))
    track.append(mido.Message("note_on", note=60, velocity=90, time=480))
    track.append(mido.Message("note_off", note=60, velocity=0, time=480))
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(60), time=0))
    track.append(mido.Message("note_on", note=64, velocity=70, time=480))
    track.append(mido.Message("note_off", note=64, velocity=0, time=240))
    file.save(str(tmp_path / "two tempi.mid"))

    first, second = read_notes(tmp_path / "two tempi.mid")

    # At 120 BPM a beat is 0.5 s, at 60 BPM 1 s.
    assert (first.onset, first.duration, first.pitch, first.velocity) == (
        pytest.approx(0.5),
        pytest.approx(0.5),
        60,
        90,
    )
    assert (second.onset, second.duration, second.pitch, second.velocity) == (
        pytest.approx(2.0),
        pytest.approx(0.5),
        64,
        70,
    )


@pytest.mark.parametrize("content", [b"", b"no MIDI at all", b"MThd\x00\x00\x00\x06\x00\x01"])
def test_a_file_that_is_no_midi_is_refused_in_one_line_that_names_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bass.mid").write_bytes(content)
    with pytest.raises(AudioError, match=r"^bass\.mid: cannot be read as MIDI[^\n]*$"):
        read_notes(tmp_path / "bass.mid")


@given(NOTES)
def test_no_key_is_struck_while_it_still_sounds(notes: list[Note]) -> None:
    played = playable(notes)
    for pitch in {note.pitch for note in played}:
        on_key = [note for note in played if note.pitch == pitch]
        assert all(before.end < after.onset for before, after in pairwise(on_key))
    assert all(0 < note.duration <= LONGEST_NOTE_S for note in played)


@given(NOTES)
def test_every_key_that_is_asked_for_is_played(notes: list[Note]) -> None:
    assert {note.pitch for note in playable(notes)} == {note.pitch for note in notes}


def test_a_chord_larger_than_the_instrument_loses_its_last_notes_and_the_next_chord_none() -> None:
    notes = [Note(onset, pitch, 1.0, 90) for onset in (0.0, 2.0) for pitch in (60, 64, 67)]
    kept = within_polyphony(notes, 2, lambda note: note.end + 0.5)
    assert [(note.onset, note.pitch) for note in kept] == [(0.0, 60), (0.0, 64), (2.0, 60), (2.0, 64)]


def test_a_voice_is_taken_for_as_long_as_its_release_sounds() -> None:
    notes = [Note(0.0, 60, 1.0, 90), Note(1.2, 62, 1.0, 90)]
    assert within_polyphony(notes, 1, lambda note: note.end + 0.1) == notes
    assert within_polyphony(notes, 1, lambda note: note.end + 0.3) == notes[:1]
