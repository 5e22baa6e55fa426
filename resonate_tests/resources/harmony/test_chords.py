from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from resonate_resources.analysis.bars import tones
from resonate_resources.harmony.chords import Chord, KeyFrom, chords_of, hear_harmony
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_tests.resources.harmony.progression import CHORDS, RATE, SECONDS, progression

BEATS = tuple(np.arange(0, len(CHORDS), 0.5).tolist())


def written(path: Path, samples: np.ndarray) -> Recording:
    return write_samples(path / "sound.wav", np.atleast_2d(samples).astype(np.float32), RATE)


def share_right(chords: tuple[Chord, ...], measure: str) -> float:
    """Part of `progression` that is right, by mir_eval."""
    starts = np.arange(len(CHORDS)) * SECONDS
    true = np.stack([starts, starts + SECONDS], axis=1)
    heard = np.array([(chord.start_s, chord.end_s) for chord in chords])
    labels = [chord.label for chord in chords]
    return float(mir_eval.chord.evaluate(true, [label for label, _ in CHORDS], heard, labels)[measure])


@pytest.mark.parametrize("cents", [0.0, 30.0, -40.0])
def test_a_progression_is_heard_chord_by_chord_in_any_tuning(cents: float, tmp_path: Path) -> None:
    chords = chords_of(written(tmp_path, progression(cents)), BEATS, tuning_cents=cents)
    assert share_right(chords, "root") > 0.95
    assert share_right(chords, "majmin") > 0.95
    assert share_right(chords, "sevenths") > 0.95


def test_the_bass_of_an_inversion_is_heard(tmp_path: Path) -> None:
    chords = chords_of(written(tmp_path, progression()), BEATS)
    assert next(chord.label for chord in chords if chord.start_s == 2 * SECONDS) == "D:min/b3"


def test_chords_begin_and_end_on_beats_and_leave_no_gap(tmp_path: Path) -> None:
    recording = written(tmp_path, progression())
    chords = chords_of(recording, BEATS)
    assert chords[0].start_s == 0
    assert chords[-1].end_s == pytest.approx(recording.duration, abs=0.001)
    for chord, following in pairwise(chords):
        assert chord.end_s == following.start_s
        assert min(abs(chord.end_s - beat) for beat in BEATS) < 0.001
        assert chord.label != following.label


def test_without_beats_chords_are_heard_all_the_same(tmp_path: Path) -> None:
    assert share_right(chords_of(written(tmp_path, progression())), "majmin") > 0.8


def test_chords_are_spelt_in_the_key_that_holds(tmp_path: Path) -> None:
    up = progression(100)  # a semitone: C is heard as D flat or C sharp
    recording = written(tmp_path, np.concatenate([up, up]))
    keys = (KeyFrom(0.0, "Ab major"), KeyFrom(len(CHORDS) * SECONDS, "C# minor"))
    chords = chords_of(recording, (*BEATS, *(len(CHORDS) + np.array(BEATS))), keys)
    roots = [chord.label.split(":")[0] for chord in chords]
    middle = next(n for n, chord in enumerate(chords) if chord.start_s >= len(CHORDS) * SECONDS)
    assert {"Db", "Bb", "Ab"} <= set(roots[:middle])
    assert {"C#", "A#", "G#"} <= set(roots[middle:])


@pytest.mark.parametrize("level", [0.0, 1e-5], ids=["silence", "noise under the gate"])
def test_where_nothing_sounds_there_is_no_chord(level: float, tmp_path: Path) -> None:
    noise = level * np.random.default_rng(1).standard_normal(3 * RATE)
    (chord,) = chords_of(written(tmp_path, noise), (0.5, 1.0, 1.5, 2.0))
    assert (chord.label, chord.start_s, chord.end_s) == ("N", 0.0, 3.0)


def test_a_rest_between_chords_is_no_chord(tmp_path: Path) -> None:
    rest = np.zeros(2 * RATE)
    recording = written(tmp_path, np.concatenate([progression(), rest, progression()]))
    chords = chords_of(recording, np.arange(0.5, recording.duration, 0.5).tolist())
    middle = len(CHORDS) * SECONDS + 1.0
    assert next(chord.label for chord in chords if chord.start_s <= middle < chord.end_s) == "N"


@pytest.mark.parametrize("frames", [0, 1, 700])
def test_hardly_any_sound_at_all_raises_nothing(frames: int, tmp_path: Path) -> None:
    chords = chords_of(written(tmp_path, np.full(frames, 0.1)))
    assert len(chords) == (1 if frames else 0)


def test_stretches_join_without_a_seam(tmp_path: Path) -> None:
    samples = np.tile(progression(), 10)  # three stretches
    recording = written(tmp_path, samples)
    labels = {}
    for chord in chords_of(recording, np.arange(0.5, recording.duration, 0.5).tolist()):
        for beat in np.arange(chord.start_s, chord.end_s - 0.1, 0.5):
            labels[round(float(beat), 1)] = chord.label
    bars = [[labels[round(6.0 * bar + beat, 1)] for beat in np.arange(0, 6, 0.5)] for bar in range(10)]
    same = [np.mean([a == b for a, b in zip(bar, bars[0], strict=True)]) for bar in bars]
    assert min(same) > 0.8


def test_chroma_is_strongest_in_the_pitches_of_the_chord_that_sounds(tmp_path: Path) -> None:
    harmony = hear_harmony(written(tmp_path, progression()), BEATS)
    assert len(harmony.chroma) == len(harmony.edges_s) - 1
    for number, (label, _) in enumerate(CHORDS):
        at = int(np.searchsorted(harmony.edges_s, (number + 0.6) * SECONDS)) - 1
        sounding = tones(label) > 0
        assert harmony.chroma[at][sounding].mean() > 2 * harmony.chroma[at][~sounding].mean()
