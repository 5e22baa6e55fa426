from __future__ import annotations

import pytest

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.music import KeyFrom, Music
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature
from resonate_resources.transcription.clean_up import cleaned_up, pitch_classes
from resonate_resources.transcription.quantising import quantised


def test_scales_are_those_of_the_keys() -> None:
    assert pitch_classes("Eb major") == {3, 5, 7, 8, 10, 0, 2}
    # A minor with the raised sixth and seventh that its melodic and harmonic forms have.
    assert pitch_classes("A minor") == {9, 11, 0, 2, 4, 5, 6, 7, 8}
    with pytest.raises(ValueError, match="no major or minor"):
        pitch_classes("D dorian")


def test_only_notes_that_are_outside_and_short_and_weak_go() -> None:
    inside = [Note(at, at + 1, 60, 100) for at in (0.0, 1.0, 2.0)]
    long, loud, ghost = Note(3.0, 4.0, 61, 40), Note(4.0, 4.1, 61, 100), Note(5.0, 5.1, 61, 40)
    short_inside = Note(6.0, 6.1, 62, 40)
    notes = [*inside, long, loud, ghost, short_inside]
    assert cleaned_up(notes, [KeyFrom(0.0, "C major")]) == [*inside, long, loud, short_inside]
    assert cleaned_up(notes, []) == notes


def test_the_key_of_the_time_counts() -> None:
    notes = [Note(at, at + 1, 61, 100) for at in (20.0, 22.0)] + [Note(21.0, 21.1, 61, 10)]
    assert cleaned_up(notes, [KeyFrom(0.0, "C major"), KeyFrom(10.0, "Db major")]) == notes


def test_quantised_notes_begin_and_end_on_the_grid_and_do_not_double() -> None:
    beats = [0.5 * n for n in range(9)]
    tempo = TempoMap.of(Grid(beats, beats[::4], [TimeSignature(0, 4, 4)]), None)
    played = [
        Note(0.02, 0.24, 60, 80),
        Note(0.51, 0.53, 62, 70),
        Note(0.06, 0.1, 64, 50),
        Note(0.49, 0.8, 62, 90),
    ]
    assert quantised(played, tempo) == [
        Note(0.0, 0.125, 64, 50),
        Note(0.0, 0.25, 60, 80),
        Note(0.5, 0.75, 62, 90),
    ]


def test_a_profile_tells_grid_and_keys_and_an_older_one_what_it_has() -> None:
    told = {
        "tempo_bpm": 120.0,
        "beats_s": [0.5, 1.0],
        "downbeats_s": [0.5],
        "time_signatures": [{"start_s": 0.5, "numerator": 3, "denominator": 4}],
        "swing": 0.66,
        "key": "C major",
        "keys": [{"start_s": 0.0, "end_s": 9.0, "key": "C major", "mode": None, "confidence": 0.9}],
    }
    music = Music.of(told)
    assert music.grid == Grid((0.5, 1.0), (0.5,), [TimeSignature(0.5, 3, 4)], 0.66)
    assert music.keys == (KeyFrom(0.0, "C major"),)
    older = Music.of({"tempo_bpm": None, "key": "A minor"})
    assert (older.grid.beats_s, older.keys) == ((), (KeyFrom(0.0, "A minor"),))
    assert not older.tempo_map().known
