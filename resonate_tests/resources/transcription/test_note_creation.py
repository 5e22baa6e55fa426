from __future__ import annotations

import numpy as np
import pytest
from basic_pitch.note_creation import output_to_notes_polyphonic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from resonate_resources.transcription.basic_pitch import activations
from resonate_resources.transcription.note_creation import (
    FRAME_THRESHOLD,
    ONSET_THRESHOLD,
    Activations,
    create_notes,
)
from resonate_studio.demo_song import DemoSong


def peer_notes(frames: Activations, onsets: Activations, shortest: int) -> list[tuple[int, int, int, float]]:
    """Basic Pitch's own decoding, at our thresholds."""
    notes = output_to_notes_polyphonic(
        frames.copy(),
        onsets.copy(),
        ONSET_THRESHOLD,
        FRAME_THRESHOLD,
        shortest,
        infer_onsets=True,
        max_freq=None,
        min_freq=None,
    )
    return sorted(
        (int(start), int(end), int(pitch), float(amplitude)) for start, end, pitch, amplitude in notes
    )


def assert_same_notes(frames: Activations, onsets: Activations, shortest: int) -> int:
    ours = create_notes(frames, onsets, shortest)
    peers = peer_notes(frames, onsets, shortest)
    assert [(note.start, note.end, note.pitch) for note in ours] == [note[:3] for note in peers]
    np.testing.assert_allclose([note.amplitude for note in ours], [note[3] for note in peers], rtol=1e-5)
    return len(ours)


@pytest.mark.parametrize("stem", ["vocals", "bass", "other"])
def test_notes_equal_those_of_basic_pitch(stem: str, demo_song: DemoSong) -> None:
    windows = list(activations(demo_song.stems[stem]))
    frames = np.concatenate([window.notes for window in windows])
    onsets = np.concatenate([window.onsets for window in windows])
    assert assert_same_notes(frames, onsets, 11) > 20


@given(st.integers(0, 2**32 - 1), st.integers(3, 400), st.floats(0.5, 8), st.integers(0, 20))
@settings(max_examples=50)
def test_notes_equal_those_of_basic_pitch_on_any_activations(
    seed: int, length: int, smoothness: float, shortest: int
) -> None:
    noise = np.random.default_rng(seed).standard_normal((2, length, 88))
    frames, onsets = (gaussian_filter1d(noise, smoothness, axis=1) * np.sqrt(smoothness) + 0.1).clip(0, 1)
    if frames.any():
        assert_same_notes(frames.astype(np.float32), onsets.astype(np.float32), shortest)


def test_silence_has_no_notes() -> None:
    nothing = np.zeros((200, 88), np.float32)
    assert create_notes(nothing, nothing, 5) == []
