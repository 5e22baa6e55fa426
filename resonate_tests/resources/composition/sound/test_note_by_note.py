"""Notes that are rendered once and used again."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.composition.sound.note_by_note import DoubleTracked, NoteByNote, choked
from resonate_resources.recordings.midi import Note

RATE = 1000


class Beeps:
    """A tone as long as its note, as loud as its velocity; counts how often it is made."""

    def __init__(self):
        self.made = 0

    def __call__(self, pitch, velocity, held_s):
        self.made += 1
        tone = np.sin(2 * np.pi * pitch * np.arange(round(held_s * RATE)) / RATE)
        return np.stack([tone, tone]).astype(np.float32) * velocity / 127


def test_equal_notes_are_rendered_once_and_keep_their_levels():
    beeps = Beeps()
    instrument = NoteByNote(RATE, beeps, law=1.0)
    sound = instrument.play([Note(0.0, 0.3, 60, 96), Note(1.0, 1.3, 60, 99), Note(2.0, 2.3, 60, 96)], 3000)
    assert beeps.made == 1
    loud, louder = np.abs(sound[0, :300]).max(), np.abs(sound[0, 1000:1300]).max()
    assert louder / loud == pytest.approx(99 / 96, rel=1e-3)
    assert np.array_equal(sound[:, :300], sound[:, 2000:2300])


def test_an_open_hi_hat_is_cut_by_the_next_stroke_of_a_hi_hat_and_other_drums_ring_out():
    def ringing(pitch, velocity, held_s):
        return np.ones((2, 2000), np.float32)

    notes = choked([Note(0.0, 0.1, 46, 100), Note(0.0, 0.1, 49, 100), Note(0.5, 0.6, 42, 100)])
    instrument = NoteByNote(RATE, ringing, law=1.0, kit=True)
    hat = instrument.play([note for note in notes if note.pitch == 46], 2000)[0]
    cymbal = instrument.play([note for note in notes if note.pitch == 49], 2000)[0]
    assert hat[450] > 0
    assert not hat[520:].any()
    assert cymbal[1900] > 0


def test_a_second_take_is_another_in_the_other_channel_and_always_the_same():
    doubled = DoubleTracked(NoteByNote(RATE, Beeps(), law=1.0), NoteByNote(RATE, Beeps(), law=1.0))
    notes = [Note(0.5 * place, 0.5 * place + 0.3, 60, 96) for place in range(8)]
    left, right = doubled.play(notes, 5000)
    assert not np.allclose(left, right, atol=0.1)
    assert np.array_equal(doubled.play(notes, 5000), np.stack([left, right]))
    begins = [np.flatnonzero(right[500 * place : 500 * place + 300])[0] / RATE for place in range(8)]
    assert 0.002 < min(begins) < max(begins) < 0.016
    assert len(set(begins)) > 3
