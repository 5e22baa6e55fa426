from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.comparison_excerpts import choose_excerpts
from resonate_resources.regeneration.likeness import distance_db, distance_of, mel_powers

RATE = 44_100


def noise(left: float, right: float) -> Samples:
    sound = np.random.default_rng(0).standard_normal((2, 2 * RATE))
    return (sound * np.array([[left], [right]])).astype(np.float32)


def distance(original: Samples, played: Samples) -> float:
    return distance_db(mel_powers(iter([original]), RATE), mel_powers(iter([played]), RATE))


@settings(max_examples=8, deadline=None)
@given(gain_db=st.floats(-20, 20))
def test_a_gain_is_as_far_off_as_it_is_large(gain_db: float) -> None:
    sound = noise(0.1, 0.1)
    played = sound * np.float32(10 ** (gain_db / 20))
    assert distance(sound, played) == pytest.approx(abs(gain_db), abs=0.05)


@pytest.mark.parametrize("levels", [(0.1, 0.0), (0.0, 0.1)])
def test_both_channels_are_heard(levels: tuple[float, float]) -> None:
    assert distance(noise(0.1, 0.1), noise(*levels)) == pytest.approx(10 * np.log10(2), abs=0.3)


def test_two_silences_are_alike() -> None:
    silence = np.zeros((2, RATE), np.float32)
    assert distance(silence, silence) == 0


def test_recordings_are_compared_as_their_samples_are(tmp_path: Path) -> None:
    sounds = noise(0.1, 0.1), noise(0.05, 0.1)
    recordings = [
        write_samples(tmp_path / f"{number}.wav", sound, RATE) for number, sound in enumerate(sounds)
    ]
    assert distance_of(recordings[0], recordings[1]) == pytest.approx(
        distance(sounds[0], sounds[1]), abs=1e-4
    )


def test_an_hour_is_compared_on_a_minute_in_which_it_plays() -> None:
    notes = [Note(second, second + 0.5, 60, 90) for second in np.arange(100, 140, 0.5)]
    spans = choose_excerpts(notes, RATE, 3600 * RATE)
    assert sum(stop - start for start, stop in spans) == 60 * RATE
    assert 100 <= spans[0][0] / RATE <= 130
    assert spans == sorted(spans)


def test_a_minute_is_compared_as_a_whole() -> None:
    assert choose_excerpts([], RATE, 60 * RATE) == [(0, 60 * RATE)]
