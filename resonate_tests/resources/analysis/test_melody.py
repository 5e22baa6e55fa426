"""Melodies whose every note is known."""

from __future__ import annotations

from pathlib import Path

import mir_eval
import numpy as np
import pytest

from resonate_resources.analysis.melody import HERTZ, HOP_S, Melody, hear_melody
from resonate_resources.recordings.recording import write_samples

RATE = 44100
NOTES = (57, 60, 64, 69, 67, 64, 62, 60, 57, 55, 52, 57)  # MIDI
NOTE_S = 0.5


def sung(cents: float = 0.0) -> np.ndarray:
    """Notes of ten harmonics that fall by 6 dB an octave, with a singer's vibrato of 30 cents at 5.5 Hz."""
    time = np.arange(round(len(NOTES) * NOTE_S * RATE)) / RATE
    pitch = np.repeat(NOTES, round(NOTE_S * RATE)) + 0.3 * np.sin(2 * np.pi * 5.5 * time) + cents / 100
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE
    return 0.1 * np.sum([np.sin(n * phase) / n for n in range(1, 11)], axis=0)


def heard(samples: np.ndarray, folder: Path) -> Melody:
    return hear_melody(write_samples(folder / "song.wav", samples[np.newaxis].astype(np.float32), RATE))


def share_right(melody: Melody, lead_s: float = 0.0, cents: float = 0.0) -> float:
    """Raw pitch accuracy (within 50 cents), by mir_eval."""
    times = np.arange(len(melody.hertz)) * HOP_S
    number = np.floor((times - lead_s) / NOTE_S).astype(int)
    inside = (number >= 0) & (number < len(NOTES))
    semitones = np.take(NOTES, number, mode="clip") - 69 + cents / 100
    true = np.where(inside, 440 * 2 ** (semitones / 12), 0)
    return float(mir_eval.melody.evaluate(times, true, times, melody.hertz)["Raw Pitch Accuracy"])


@pytest.mark.parametrize("cents", [0.0, 25.0, -25.0])
def test_a_voice_is_followed_note_by_note(cents: float, tmp_path: Path) -> None:
    assert share_right(heard(sung(cents), tmp_path), cents=cents) > 0.95


def test_a_voice_is_followed_over_held_chords(tmp_path: Path) -> None:
    time = np.arange(round(len(NOTES) * NOTE_S * RATE)) / RATE
    chord = sum(0.03 * np.sin(2 * np.pi * hertz * time) for hertz in (110.0, 130.8, 164.8))
    assert share_right(heard(sung() + chord, tmp_path)) > 0.9


def test_where_nobody_sings_nothing_is_told(tmp_path: Path) -> None:
    silence = np.zeros(2 * RATE)
    melody = heard(np.concatenate([silence, sung(), silence]), tmp_path)
    inside = np.arange(len(melody.hertz)) * HOP_S
    assert not melody.hertz[inside < 1.8].any()
    assert not melody.hertz[inside > 2.2 + len(NOTES) * NOTE_S].any()
    assert share_right(melody, lead_s=2.0) > 0.95


def test_a_long_song_is_heard_without_a_seam(tmp_path: Path) -> None:
    # Of its stretches, some begin with an odd frame.
    long = np.tile(sung(), 6)
    melody = heard(long, tmp_path)
    times = np.arange(len(melody.hertz)) * HOP_S
    assert times[-1] < len(long) / RATE <= times[-1] + 1.01 * HOP_S
    true = 440 * 2 ** ((np.take(NOTES, (times // NOTE_S).astype(int) % len(NOTES)) - 69) / 12)
    judged = mir_eval.melody.evaluate(times, true, times, melody.hertz)
    assert judged["Raw Pitch Accuracy"] > 0.95


def test_salience_is_kept_small_with_its_axes(tmp_path: Path) -> None:
    melody = heard(sung(), tmp_path)
    melody.write(tmp_path / "melody.npz")
    melody.write(tmp_path / "again.npz")
    assert (tmp_path / "melody.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()
    kept = np.load(tmp_path / "melody.npz")
    assert kept["salience"].dtype == np.uint8
    assert kept["salience"].shape == (len(kept["times_s"]), len(kept["bins_hz"])) == melody.salience.shape
    frame = round(0.25 / HOP_S)  # A3, the first note
    assert kept["bins_hz"][kept["salience"][frame].argmax()] == pytest.approx(220, rel=0.03)
    assert HERTZ[0] == 55


def test_silence_and_nothing_have_no_melody(tmp_path: Path) -> None:
    assert not heard(np.zeros(RATE), tmp_path).hertz.any()
    assert len(heard(np.zeros(0), tmp_path).hertz) == 0


def test_noise_has_no_line(tmp_path: Path) -> None:
    white = np.random.default_rng(0).normal(0, 0.1, 10 * RATE)
    assert not heard(white, tmp_path).hertz.any()
    assert not heard(np.cumsum(white) / 1000, tmp_path).hertz.any()
