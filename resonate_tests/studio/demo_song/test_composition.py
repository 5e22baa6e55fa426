from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_studio.demo_song import compose
from resonate_studio.demo_song.composition import CLOSED_HAT, CRASH, KICK, OPEN_HAT, SNARE, TOMS

SEEDS = st.integers(0, 10_000)
# Intervals over the tonic: major scale, natural minor scale.
SCALE = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 10}}


def test_a_seed_always_gives_the_same_song() -> None:
    assert compose(5) == compose(5)


def test_seeds_differ_in_tempo_and_key() -> None:
    songs = [compose(seed) for seed in range(40)]
    assert len({song.tempo_bpm for song in songs}) > 15
    assert len({song.key for song in songs}) > 12
    assert {song.mode for song in songs} == {"major", "minor"}


@given(SEEDS)
@settings(max_examples=25)
def test_every_pitched_note_belongs_to_the_key(seed: int) -> None:
    song = compose(seed)
    for stem in ("vocals", "bass", "other"):
        assert {(note.pitch - song.tonic) % 12 for note in song.notes[stem]} <= SCALE[song.mode] | {7}


@given(SEEDS)
@settings(max_examples=25)
def test_the_song_lasts_forty_to_sixty_seconds_and_no_note_outlasts_it(seed: int) -> None:
    song = compose(seed)
    assert 40 <= song.duration <= 60
    for notes in song.notes.values():
        assert min(note.onset_s for note in notes) >= 0
        assert max(note.offset_s for note in notes) < song.duration


@given(SEEDS)
@settings(max_examples=25)
def test_vocals_and_bass_sound_one_note_at_a_time_in_their_ranges(seed: int) -> None:
    song = compose(seed)
    for stem, (lowest, highest) in {"vocals": (45, 76), "bass": (28, 60)}.items():  # A2–E5; E1–C4
        notes = song.notes[stem]
        assert all(lowest <= note.pitch <= highest for note in notes)
        assert all(before.offset_s <= after.onset_s + 1e-9 for before, after in pairwise(notes))


@given(SEEDS)
@settings(max_examples=25)
def test_drums_are_general_midi_and_lie_on_the_sixteenth_grid(seed: int) -> None:
    song = compose(seed)
    sixteenth = 15 / song.tempo_bpm
    for note in song.notes["drums"]:
        assert note.pitch in {KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, *TOMS}
        assert abs(note.onset_s / sixteenth - round(note.onset_s / sixteenth)) * sixteenth < 0.010


def test_beats_are_a_quarter_apart() -> None:
    song = compose(1)
    assert song.beats[0] == 0.0
    for before, after in pairwise(song.beats):
        assert after - before == pytest.approx(60 / song.tempo_bpm)


def test_sections_follow_each_other_and_differ_in_what_plays() -> None:
    song = compose(1)
    assert [section.name for section in song.sections] == ["intro", "verse", "chorus", "outro"]
    assert [section.start for section in song.sections[1:]] == [s.start + s.bars for s in song.sections[:-1]]
    playing = {
        section.name: {
            part
            for part, notes in song.parts.items()
            for note in notes
            if section.start <= (note.onset_s + 0.05) / song.bar_seconds < section.start + section.bars
        }
        for section in song.sections
    }
    assert "vocals" not in playing["intro"]
    assert playing["verse"] == {"vocals", "drums", "bass", "arpeggio", "keys"}
    assert playing["chorus"] == {"vocals", "drums", "bass", "pad", "arpeggio", "keys"}
    assert playing["outro"] == {"drums", "bass", "pad"}
