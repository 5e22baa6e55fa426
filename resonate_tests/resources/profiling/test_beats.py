from __future__ import annotations

import mir_eval
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resonate_resources.profiling.beats import estimate_tempo, tempo_of_beats, track_beats
from resonate_resources.signal.band_levels import Floats
from resonate_resources.signal.timbre import FRAME_RATE, hear_timbre
from resonate_studio.demo_song import DemoSong, PhoneRecording


def onsets_at(times: np.ndarray, strengths: np.ndarray, seconds: float) -> Floats:
    """Onset strength of strokes at these times, smeared over three frames as spectra smear them, and some noise."""
    frames = np.arange(round(seconds * FRAME_RATE))
    distance = frames[:, np.newaxis] - times * FRAME_RATE
    strokes = (strengths * np.exp(-0.5 * (distance / 0.7) ** 2)).sum(axis=1)
    return (strokes + 0.3 * np.random.default_rng(0).random(len(frames))).astype(np.float32)


def drum_loop(tempo_bpm: float, seconds: float, first_s: float = 0.0) -> tuple[Floats, np.ndarray]:
    """Strong beats with weaker eighth notes between, and the times of the beats."""
    eighths = np.arange(first_s, seconds, 30 / tempo_bpm)
    strengths = np.where(np.arange(len(eighths)) % 2 == 0, 6.0, 3.0)
    return onsets_at(eighths, strengths, seconds), eighths[::2]


@given(st.floats(80, 85), st.floats(0, 1))
@example(80.25, 0.0)
@settings(max_examples=20)
def test_a_slow_loop_is_heard_at_its_tempo_or_twice_as_fast(tempo_bpm: float, first_s: float) -> None:
    """Twice as fast lies nearer to the usual 120 there, and its eighths are struck."""
    onset, _ = drum_loop(tempo_bpm, 40.0, first_s)
    tempo = estimate_tempo(onset)
    assert tempo is not None
    heard = tempo_of_beats(track_beats(onset, tempo))
    assert heard is not None
    assert min(abs(heard - tempo_bpm), abs(heard - 2 * tempo_bpm)) <= 1


@given(st.floats(85, 160), st.floats(0, 1))
@settings(max_examples=40)
def test_tempo_and_beats_of_a_loop_are_found(tempo_bpm: float, first_s: float) -> None:
    onset, truth = drum_loop(tempo_bpm, 40.0, first_s)
    tempo = estimate_tempo(onset)
    assert tempo is not None
    beats = track_beats(onset, tempo)
    assert tempo_of_beats(beats) == pytest.approx(tempo_bpm, abs=1)
    assert mir_eval.beat.f_measure(truth, beats) >= 0.95


def test_beats_follow_a_tempo_that_drifts() -> None:
    intervals = 60 / np.linspace(112, 124, 120)  # a band without a click, getting faster by a tenth
    truth = np.cumsum(intervals)
    onset = onsets_at(truth, np.full(120, 5.0), truth[-1] + 1)
    tempo = estimate_tempo(onset)
    assert tempo is not None
    assert mir_eval.beat.f_measure(truth, track_beats(onset, tempo)) >= 0.95


@pytest.mark.parametrize("source", ["mix", "phone"])
def test_beats_of_the_demo_are_where_they_were_composed(
    source: str, demo_song: DemoSong, phone_recording: PhoneRecording
) -> None:
    onset = hear_timbre(demo_song.mix if source == "mix" else phone_recording.mix).onset
    tempo = estimate_tempo(onset)
    assert tempo is not None
    beats = track_beats(onset, tempo)
    assert tempo_of_beats(beats) == pytest.approx(demo_song.composition.tempo_bpm, abs=1)
    assert mir_eval.beat.f_measure(np.array(demo_song.composition.beats), beats) >= 0.9


def test_noise_has_no_tempo() -> None:
    for seed in range(20):
        onset = np.random.default_rng(seed).random(2000).astype(np.float32)
        assert estimate_tempo(onset) is None


def test_a_step_from_silence_to_noise_is_no_tempo() -> None:
    onset = np.random.default_rng(1).random(860).astype(np.float32)
    onset[:430] = 0
    onset[430] = 40
    assert estimate_tempo(onset) is None


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_silence_has_no_tempo(frames: int) -> None:
    assert estimate_tempo(np.zeros(frames, np.float32)) is None


def test_the_tempo_of_beats_is_their_rate() -> None:
    assert tempo_of_beats(np.arange(100) * 0.5) == pytest.approx(120)
    assert tempo_of_beats(np.arange(3) * 0.5) is None
