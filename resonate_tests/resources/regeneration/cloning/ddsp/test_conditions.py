from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import write_samples
from resonate_resources.regeneration.cloning.ddsp.conditions import Course, a_weighting, loudness_of, pitch_of


def test_loudness_is_as_librosa_gives_it_to_the_decoders_training(tmp_path):
    samples = np.random.default_rng(0).normal(0, 0.1, 40_001).astype(np.float32)
    samples[:9000] = 0
    spectrum = np.log(np.abs(librosa.stft(samples, n_fft=2048, hop_length=160)) + 1e-7)
    with np.errstate(divide="ignore"):
        weights = librosa.A_weighting(librosa.fft_frequencies(sr=16_000, n_fft=2048))
    heard = loudness_of(write_samples(tmp_path / "noise.wav", samples[None], 16_000), 16_000, 160)
    np.testing.assert_allclose(heard, (spectrum + weights[:, None]).mean(axis=0)[: heard.size], atol=1e-4)


@pytest.mark.parametrize(("band", "db"), [(15, -39.4), (20, -19.1), (30, 0.0), (36, 1.0), (42, -6.6)])
def test_a_weighting_is_that_of_the_standard(band, db):
    hz = 10 ** (band / 10)  # exact frequencies of third octaves, as table 3 of IEC 61672-1 means them
    assert a_weighting(np.array([hz]))[0] == pytest.approx(db, abs=0.05)


def test_a_note_swells_and_fades_as_the_stems_notes_do_and_is_louder_the_harder_it_is_struck():
    rate = 100.0
    loudness = np.full(400, -20.0)
    swell = np.linspace(-12, -8, 50)
    notes = [Note(0.5, 1.0, 60, 100), Note(2.0, 2.5, 64, 50)]
    for note in notes:
        start = round(note.onset_s * rate)
        loudness[start : start + 50] = swell + np.log(note.velocity / 100)
    course = Course.heard(loudness, notes, rate)
    np.testing.assert_allclose(course.of(notes[0])[:50], swell)
    np.testing.assert_allclose(course.of(notes[1])[:50], swell + np.log(0.5))
    held = course.of(Note(0, 1.0, 60, 100))
    assert held.size == 110
    np.testing.assert_allclose(held[50:100], -8)
    assert held[-1] == pytest.approx(-20)


@given(
    st.lists(st.tuples(st.floats(-1, 9), st.floats(0.001, 40), st.integers(1, 127)), min_size=1, max_size=6),
    st.integers(1, 900),
)
def test_any_notes_over_any_stem_have_a_course(notes, frames):
    played = [Note(max(0.0, on), max(0.0, on) + length, 60, velocity) for on, length, velocity in notes]
    course = Course.heard(np.linspace(-30, -10, frames), played, 100.0)
    for note in played:
        assert np.isfinite(course.of(note)).all()


def test_pitch_follows_bends_until_the_next():
    pitch = pitch_of(Note(3.0, 4.0, 69, 100, ((0.0, 0.0), (0.5, 12.0), (0.75, -12.0))), 100, 100.0)
    np.testing.assert_allclose(pitch, np.repeat([440.0, 880.0, 220.0], [50, 25, 25]))
