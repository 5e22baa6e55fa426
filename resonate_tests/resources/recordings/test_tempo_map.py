from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note, key_signature, write_notes
from resonate_resources.recordings.tempo_map import Grid, TempoMap, TimeSignature

FOUR, THREE, SIX = ((4, 4), (3, 4), (6, 8))


def played(tempo: TempoMap, path: Path, until: float, key: str | None = None) -> pretty_midi.PrettyMIDI:
    """A file with a note that lasts until then, as another reader has it."""
    write_notes(path / "x.mid", [Note(0.0, until, 60, 90)], tempo=tempo, name="x", program=0, key=key)
    return pretty_midi.PrettyMIDI(str(path / "x.mid"))


WITHIN_S = 0.0081
"""Beats are heard in steps of 10 ms: so near a tempo that holds for several has to keep to them."""


@st.composite
def drifting(draw: st.DrawFn) -> Grid:
    """Bars of one time signature whose tempo wanders, after a start that has nothing to do with it."""
    numerator, denominator = draw(st.sampled_from([FOUR, THREE, SIX]))
    a_bar = 2 if denominator == 8 else numerator
    second, beat = draw(st.floats(0.02, 7)), draw(st.floats(0.3, 1.2))
    beats = []
    for _ in range(draw(st.integers(2, 8)) * a_bar + 1):
        beats.append(second)
        beat = min(max(beat * draw(st.floats(0.97, 1.03)), 0.25), 1.3)
        second += beat
    pick_up = draw(st.integers(0, a_bar - 1))
    signature = TimeSignature(beats[pick_up], numerator, denominator)
    return Grid(beats, beats[pick_up::a_bar], [signature])


@given(grid=drifting())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_another_readers_beats_and_downbeats_are_those_of_the_track(grid: Grid, tmp_path: Path) -> None:
    read = played(TempoMap.of(grid, None), tmp_path, grid.beats_s[-1] + 0.1)
    for ours, theirs in ((grid.beats_s, read.get_beats()), (grid.downbeats_s, read.get_downbeats())):
        for second in ours:
            assert np.abs(theirs - second).min() < WITHIN_S
    after = [float(at) for at in read.get_downbeats() if at > grid.downbeats_s[0] - WITHIN_S]
    np.testing.assert_allclose(after[: len(grid.downbeats_s)], grid.downbeats_s, atol=WITHIN_S)


@given(grid=drifting())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_notes_are_where_they_were_played_whatever_the_tempo_does(grid: Grid, tmp_path: Path) -> None:
    last = grid.beats_s[-1]
    notes = [Note(at, at + 0.11, 60, 90) for at in np.arange(0.0, last + 2, 0.37).tolist()]
    write_notes(tmp_path / "x.mid", notes, tempo=TempoMap.of(grid, None), name="x", program=0)
    (part,) = pretty_midi.PrettyMIDI(str(tmp_path / "x.mid")).instruments
    np.testing.assert_allclose([n.start for n in part.notes], [n.onset_s for n in notes], atol=2e-3)


def test_time_signatures_change_where_they_do_and_a_bar_too_short_has_its_own(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(20)]
    # Two bars of four, one of three that is told as such, two of four of which the first lacks a beat.
    grid = Grid(
        beats,
        [beats[n] for n in (0, 4, 8, 11, 14, 18)],
        [TimeSignature(0, 4, 4), TimeSignature(beats[8], 3, 4), TimeSignature(beats[11], 4, 4)],
    )
    read = played(TempoMap.of(grid, None), tmp_path, 10.0)
    told = [(change.numerator, change.denominator) for change in read.time_signature_changes]
    assert told == [(4, 4), (3, 4), (4, 4)]
    np.testing.assert_allclose(read.get_downbeats()[:6], grid.downbeats_s, atol=1e-4)


def test_a_pause_between_passages_lasts_as_many_beats_as_fit_in(tmp_path: Path) -> None:
    beats = [0.5 * n for n in range(8)] + [3.5 + 5.0 + 0.5 * n for n in range(8)]
    grid = Grid(beats, [beats[0], beats[4], beats[8], beats[12]], [TimeSignature(0, 4, 4)])
    read = played(TempoMap.of(grid, None), tmp_path, 13.0)
    downbeats = read.get_downbeats()
    for second in grid.downbeats_s:
        assert np.abs(downbeats - second).min() < 1e-4
    assert np.abs(60 / read.get_tempo_changes()[1] - 0.5).max() < 1e-5


def test_a_steady_tempo_that_is_heard_in_steps_of_ten_milliseconds_is_one_tempo() -> None:
    beats = [round(0.3 + 60 / 127.3 * n, 2) for n in range(300)]
    tempo = TempoMap.of(Grid(beats, beats[::4], [TimeSignature(0, 4, 4)]), None)
    told = {round(6e7 / anchor.tempo, 1) for anchor in tempo.anchors if anchor.second > beats[0]}
    assert told <= {127.2, 127.3, 127.4}
    assert len(tempo.anchors) <= 4


def test_a_tempo_that_rises_is_followed_and_a_step_is_where_it_is() -> None:
    rising = np.cumsum([0.5 * 0.995**n for n in range(100)])
    tempo = TempoMap.of(Grid([*rising], [*rising[::4]], [TimeSignature(0, 4, 4)]), None)
    off = [tempo.second(tempo.first_beat + 960 * n) - second for n, second in enumerate(rising)]
    assert np.abs(off).max() < WITHIN_S
    stepped = [0.5 * n for n in range(20)] + [9.5 + 0.4 * n for n in range(1, 20)]
    tempo = TempoMap.of(Grid(stepped, stepped[::4], [TimeSignature(0, 4, 4)]), None)
    assert [round(6e7 / anchor.tempo) for anchor in tempo.anchors] == [120, 150]
    assert tempo.anchors[1].second == pytest.approx(9.5, abs=0.001)


def test_beats_of_six_eighths_are_dotted_quarters(tmp_path: Path) -> None:
    beats = [0.6 * n for n in range(9)]
    tempo = TempoMap.of(Grid(beats, beats[::2], [TimeSignature(0, 6, 8)]), 100.0)
    assert [tempo.tick(second) for second in beats] == [1440 * n for n in range(9)]
    assert played(tempo, tmp_path, 5.0).get_tempo_changes()[1][0] == pytest.approx(150)
    bar, beat = tempo.place(tempo.tick(0.9))
    assert bar == 1
    assert beat == pytest.approx(5.5, abs=0.01)


def test_without_beats_the_tempo_is_steady(tmp_path: Path) -> None:
    assert played(TempoMap.of(Grid(), 93.0), tmp_path, 5.0).get_tempo_changes()[1] == pytest.approx([93.0])


@given(grid=drifting(), second=st.floats(0, 12))
def test_what_is_quantised_lies_on_a_part_of_a_beat(grid: Grid, second: float) -> None:
    for swing, parts in ((0.5, 4), (0.66, 3)):
        tempo = TempoMap.of(Grid(grid.beats_s, grid.downbeats_s, [TimeSignature(0, 4, 4)], swing), None)
        at = tempo.second(tempo.quantised(tempo.tick(second)))
        of_beats = [
            start + (end - start) * part / parts
            for start, end in pairwise(grid.beats_s)
            for part in range(parts)
        ]
        within = [place for place in of_beats if abs(place - at) < WITHIN_S]
        assert within or not grid.beats_s[0] <= at <= grid.beats_s[-2]


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("Eb major", "Eb"),
        ("D# major", "Eb"),
        ("A# minor", "Bbm"),
        ("G# minor", "G#m"),
        ("F# major", "F#"),
        ("D dorian", None),
    ],
)
def test_keys_are_written_as_musicians_spell_them(key: str, written: str | None, tmp_path: Path) -> None:
    assert key_signature(key) == written
    played(TempoMap.steady(120), tmp_path, 1.0, key)
    signatures = [m.key for m in mido.MidiFile(tmp_path / "x.mid").tracks[0] if m.type == "key_signature"]
    assert signatures == ([] if written is None else [written])


@pytest.mark.parametrize(
    ("bpm", "first"), [(125.0, 0.34), (128.0, 0.123), (174.0, 0.5), (93.3, 1.01), (120.0, 0.004)]
)
def test_a_steady_tempo_is_one_though_its_beats_were_heard_in_steps_of_10_ms(
    bpm: float, first: float
) -> None:
    played = first + 60 / bpm * np.arange(400)
    heard = np.round(played, 2)
    tempo = TempoMap.of(
        Grid(heard.tolist(), heard[::4].tolist(), [TimeSignature(float(heard[0]), 4, 4)]), bpm
    )
    *lead_in, steady = [6e7 / anchor.tempo for anchor in tempo.anchors]
    assert len(lead_in) <= 1
    assert steady == pytest.approx(bpm, abs=0.01)
    assert [tempo.second(tick) for tick in tempo.beats] == pytest.approx(played.tolist(), abs=0.005)
