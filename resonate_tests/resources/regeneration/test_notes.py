from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.midi import Note
from resonate_resources.regeneration.notes import LONGEST_NOTE_S, playable, within_polyphony

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
