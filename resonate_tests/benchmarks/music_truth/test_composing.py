from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_tests.benchmarks.music_truth.composing import LONGEST_S, SHORTEST_S, compose
from resonate_tests.benchmarks.music_truth.harmony import QUALITIES, Key, chord_of
from resonate_tests.benchmarks.music_truth.song import Song, Span
from resonate_tests.benchmarks.music_truth.styles import CLOSED_HAT, RIDE

composed = lru_cache(maxsize=None)(compose)
seeds = st.integers(0, 39).map(composed)
some_songs = settings(max_examples=40)


def value_at(spans: tuple[Span, ...], second: float) -> str:
    return next(span.value for span in spans if span.start_s <= second < span.end_s)


@given(seeds)
@some_songs
def test_every_bar_has_the_beats_of_its_metre_and_begins_on_one(song: Song) -> None:
    beats, downbeats = np.array(song.beats_s), np.array(song.downbeats_s)
    end = song.metres[-1].end_s
    assert set(song.downbeats_s) <= set(song.beats_s)
    assert (np.diff(beats) > 0).all()
    beats_of = {"4/4": 4, "3/4": 3, "6/8": 2}  # a beat of 6/8 is a dotted quarter
    for start, stop in pairwise([*downbeats, end]):
        inside = ((beats >= start) & (beats < stop)).sum()
        assert inside == beats_of[value_at(song.metres, start)]


@given(seeds)
@some_songs
def test_the_tempo_is_that_of_the_beats_and_lies_where_it_should(song: Song) -> None:
    gaps = np.diff([*song.beats_s, song.metres[-1].end_s])
    assert [bpm for _, bpm in song.tempo] == pytest.approx(60 / gaps)
    assert 55 <= song.tempo_bpm <= 250
    if song.steady:  # it drifts, and slows at the end; half of its beats lie within 3 % all the same
        assert np.mean(np.abs(60 / gaps / song.tempo_bpm - 1) < 0.03) > 0.5


@given(seeds)
@some_songs
def test_chords_keys_metres_and_sections_leave_no_gap(song: Song) -> None:
    for spans in (song.chords, song.sections, song.keys, song.metres):
        assert all(before.end_s == after.start_s for before, after in pairwise(spans))
        assert spans[-1].end_s == song.metres[-1].end_s
    assert song.chords[0].start_s == song.sections[0].start_s == 0.0
    assert {section.start_s for section in song.sections[1:]} <= set(song.downbeats_s)
    # A ramp or a step may stretch what was laid out at one tempo by a fifth of its second half.
    assert 0.85 * SHORTEST_S <= song.duration_s <= 1.2 * LONGEST_S


@given(seeds)
@some_songs
def test_chord_labels_are_what_mir_eval_reads(song: Song) -> None:
    for chord in song.chords:
        mir_eval.chord.validate_chord_label(chord.value)


@given(seeds)
@some_songs
def test_what_accompanies_plays_tones_of_the_chord_that_is_told(song: Song) -> None:
    for name in ("keys", "guitar", "pad"):
        for note in song.parts[name].notes if name in song.parts else ():
            # Players are early or late by less than 30 ms, strings of a strum later by as much again.
            middle = min((note.onset_s + note.offset_s) / 2, note.onset_s + 0.1)
            root, intervals, _ = mir_eval.chord.encode(value_at(song.chords, middle))
            assert intervals[(note.pitch - root) % 12], f"{note} in {value_at(song.chords, middle)}"


@given(seeds)
@some_songs
def test_the_bass_begins_a_chord_with_the_bass_that_is_told(song: Song) -> None:
    """Offbeat lines excepted, which begin later."""
    onsets = {round(note.onset_s, 4): note.pitch for note in song.parts["bass"].notes}
    judged = 0
    for chord in song.chords:
        near = [onset for onset in onsets if abs(onset - chord.start_s) < 0.04]
        if chord.value == "N" or len(near) != 1:
            continue
        root, _, bass = mir_eval.chord.encode(chord.value)
        assert onsets[near[0]] % 12 == (root + bass) % 12
        judged += 1
    assert judged or song.style == "house"


@given(seeds)
@some_songs
def test_a_section_that_comes_again_has_the_same_chords(song: Song) -> None:
    heard: dict[tuple[str, str], list[str]] = {}
    for section in song.sections[:-1]:  # the last one ends at home
        key = value_at(song.keys, section.end_s - 0.1)
        of_bars = [
            value_at(song.chords, start + 0.05)
            for start in song.downbeats_s
            if section.start_s <= start < section.end_s
        ]
        assert heard.setdefault((section.value, key), of_bars) == of_bars


@given(seeds)
@some_songs
def test_a_key_is_struck_only_when_it_is_up(song: Song) -> None:
    for part in song.parts.values():
        held: dict[int, float] = {}
        for note in part.notes:
            assert 1 <= note.velocity <= 127
            assert 0 <= note.onset_s < note.offset_s <= song.duration_s
            assert held.get(note.pitch, 0.0) <= note.onset_s
            held[note.pitch] = note.offset_s


@given(seeds)
@some_songs
def test_off_beats_swing_by_the_ratio_that_is_told(song: Song) -> None:
    if "drums" not in song.parts or set(song.metres) - {m for m in song.metres if m.value == "4/4"}:
        return
    beats = np.array(song.beats_s)
    places = []
    for note in song.parts["drums"].notes:
        beat = int(np.searchsorted(beats, note.onset_s, "right")) - 1
        if note.pitch in (CLOSED_HAT, RIDE) and 0 <= beat < len(beats) - 1:
            places.append((note.onset_s - beats[beat]) / (beats[beat + 1] - beats[beat]))
    # Sixteenths lie within 0.15 of a straight eighth's neighbours at most; 0.4…0.7 holds eighths alone.
    eighths = [place for place in places if 0.45 < place < 0.7]
    if len(eighths) > 10:
        assert np.median(eighths) == pytest.approx(song.swing, abs=0.015)


def test_the_same_seed_gives_the_same_song() -> None:
    assert compose(7) == compose(7)
    assert compose(7).truth() != compose(8).truth()


def test_songs_for_judging_are_in_all_keys_and_in_the_three_metres() -> None:
    songs = [compose(seed) for seed in range(100, 170)]
    assert len({song.key for song in songs}) == 24
    assert {song.metre for song in songs} == {"4/4", "3/4", "6/8"}
    assert {span.value for song in songs for span in song.chords} >= {"N"}


@pytest.mark.parametrize(
    ("symbol", "key", "label"),
    [
        ("IV", Key(3, "major"), "Ab:maj"),
        ("V7/3", Key(0, "major"), "G:7/3"),
        ("bVI", Key(3, "minor"), "Cb:maj"),
        ("ii7", Key(3, "major"), "F:min7"),
        ("vi/3", Key(0, "major"), "A:min/b3"),
        ("V7", Key(8, "minor"), "D#:7"),
        ("#idim7", Key(0, "major"), "C#:dim7"),
        ("V7sus4", Key(2, "major"), "A:sus4(b7)"),
    ],
)
def test_roman_numerals_are_spelt_in_their_key(symbol: str, key: Key, label: str) -> None:
    assert chord_of(symbol, key).label == label


def test_qualities_are_those_of_mir_eval() -> None:
    for quality, steps in QUALITIES.items():
        _, intervals, _ = mir_eval.chord.encode(f"C:{quality}")
        assert tuple(np.flatnonzero(intervals)) == steps


def test_a_word_is_no_roman_numeral() -> None:
    with pytest.raises(ValueError, match="no roman numeral: Vmaj13"):
        chord_of("Vmaj13", Key(0, "major"))
