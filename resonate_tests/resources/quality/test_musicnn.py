"""The network against musicnn itself: `musicnn_peer.npz` is what musicnn 0.1.0 with TensorFlow 2.21 and librosa
0.11 makes of `signal` at 16 kHz: tags of both windows, and the penultimate layer of the first, which it gives for
every window."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.quality.musicnn import (
    HOP,
    SAMPLE_RATE,
    WINDOW,
    hear,
    mel_spectrogram,
    window_starts,
)
from resonate_resources.recordings.recording import Samples, write_samples

PEER = np.load(Path(__file__).with_name("musicnn_peer.npz"))
BOTH = np.array([0, WINDOW])


def signal(rate: int = SAMPLE_RATE, seconds: float = 6.0) -> Samples:
    """A chord with overtones, which dies away and is struck again, over strokes of noise: (1, frames)."""
    time = np.arange(round(seconds * rate)) / rate
    chord = sum(
        np.sin(2 * np.pi * hertz * overtone * time) / overtone
        for hertz in (110.0, 164.8, 220.0, 277.2)
        for overtone in (1, 2, 3, 5)
    )
    noise = np.random.default_rng(17).standard_normal(len(time))
    samples = 0.03 * chord * np.exp(-(time % 1.5)) + 0.02 * noise * np.exp(-(time % 0.5) / 0.04)
    return samples.astype(np.float32)[np.newaxis]


def test_tags_and_embeddings_are_the_peers(tmp_path: Path) -> None:
    heard = hear(write_samples(tmp_path / "chord.wav", signal(), SAMPLE_RATE), BOTH)
    assert PEER["tags"].max() > 0.3
    assert np.abs(heard.tags - PEER["tags"]).max() < 1e-3
    assert np.abs(heard.embeddings[0] - PEER["penultimate"]).max() < 1e-3


@given(cuts=st.lists(st.integers(0, 6 * SAMPLE_RATE), max_size=5))
def test_the_spectrogram_is_librosas_whatever_the_blocks(cuts: list[int]) -> None:
    import librosa

    samples = signal()[0]
    power = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_fft=512, hop_length=HOP, n_mels=96).T
    mel = np.concatenate([*mel_spectrogram(iter(np.split(samples, sorted(cuts))))])
    assert np.abs(mel[: len(power)] - np.log10(10_000 * power + 1)).max() < 1e-4


def test_a_gain_is_as_if_the_recording_were_louder(tmp_path: Path) -> None:
    quiet = write_samples(tmp_path / "quiet.wav", 0.1 * signal(), SAMPLE_RATE)
    assert np.abs(hear(quiet, BOTH, gain_db=20.0).tags - PEER["tags"]).max() < 1e-3
    assert np.abs(hear(quiet, BOTH).tags - PEER["tags"]).max() > 0.05


@pytest.mark.parametrize("late_s", [-1.0, 0.25])
def test_what_came_late_or_early_is_heard_in_its_place(tmp_path: Path, late_s: float) -> None:
    silence = np.zeros((1, round(abs(late_s) * SAMPLE_RATE)), np.float32)
    moved = np.concatenate([silence, signal()], axis=1) if late_s > 0 else signal()[:, silence.shape[1] :]
    heard = hear(write_samples(tmp_path / "moved.wav", moved, SAMPLE_RATE), BOTH, skip_s=late_s)
    assert np.abs(heard.tags[1] - PEER["tags"][1]).max() < 1e-3


def test_loud_music_is_heard_where_sixteen_bits_would_overflow(tmp_path: Path) -> None:
    loud = signal() / np.abs(signal()).max()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heard = hear(write_samples(tmp_path / "loud.wav", loud, SAMPLE_RATE), BOTH)
    assert np.isfinite(heard.embeddings).all()
    assert next(mel_spectrogram(iter(loud))).max() > np.log10(np.finfo(np.float16).max)


@pytest.mark.parametrize(("seconds", "windows"), [(0.01, 1), (2.0, 1), (30.0, 10), (600.0, 30)])
def test_windows_reach_from_beginning_to_end(tmp_path: Path, seconds: float, windows: int) -> None:
    recording = write_samples(tmp_path / "any.wav", np.zeros((1, round(seconds * 8000)), np.float32), 8000)
    starts = window_starts(recording)
    assert len(starts) == windows
    assert starts[0] == 0
    end_s = (starts[-1] + WINDOW) * HOP / SAMPLE_RATE
    assert end_s == pytest.approx(seconds, abs=HOP / SAMPLE_RATE) or windows == 1


def test_a_recording_shorter_than_a_window_is_followed_by_silence(tmp_path: Path) -> None:
    short = signal(seconds=64 * HOP / SAMPLE_RATE)
    long = np.concatenate([short, np.zeros((1, 3 * SAMPLE_RATE), np.float32)], axis=1)
    found = [
        hear(write_samples(tmp_path / f"{number}.wav", samples, SAMPLE_RATE), np.array([0]))
        for number, samples in enumerate((short, long))
    ]
    assert np.abs(found[0].embeddings - found[1].embeddings).max() < 1e-3
