from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.regeneration.notes import LONGEST_NOTE_S, playable

NOTES = st.lists(
    st.builds(
        lambda onset_s, length_s, pitch, velocity: Note(onset_s, onset_s + length_s, pitch, velocity),
        st.floats(0, 60),
        st.floats(0, 60),
        st.integers(40, 44),
        st.integers(1, 127),
    ),
    max_size=40,
)


@given(NOTES)
def test_no_key_is_struck_while_it_still_sounds(notes: list[Note]) -> None:
    played = playable(notes)
    for pitch in {note.pitch for note in played}:
        on_key = [note for note in played if note.pitch == pitch]
        assert all(before.offset_s < after.onset_s for before, after in pairwise(on_key))
    assert all(note.onset_s < note.offset_s <= note.onset_s + LONGEST_NOTE_S for note in played)


@given(NOTES)
def test_every_key_that_is_asked_for_is_played(notes: list[Note]) -> None:
    assert {note.pitch for note in playable(notes)} == {note.pitch for note in notes}
