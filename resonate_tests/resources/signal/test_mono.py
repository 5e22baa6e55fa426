from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.recording import write_samples
from resonate_resources.signal.mono import cancelling, mono_blocks, moved, overlapping_frames


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000, 192000])
@pytest.mark.parametrize("frames", [1, 1000, 600_001])
def test_blocks_together_are_what_librosa_loads(sample_rate: int, frames: int, tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(7).standard_normal((2, frames)).astype(np.float32)
    recording = write_samples(tmp_path / "noise.wav", noise, sample_rate)
    peer, _ = librosa.load(recording.path, sr=22050)
    ours = np.concatenate(list(mono_blocks(recording, 22050)))
    assert abs(len(ours) - len(peer)) <= 1  # librosa rounds the length up
    length = min(len(ours), len(peer))
    np.testing.assert_allclose(ours[:length], peer[:length], atol=1e-6)


def heard(channels: np.ndarray[Any, Any], folder: Path) -> tuple[int | None, np.ndarray[Any, Any]]:
    recording = write_samples(folder / "a.wav", channels.astype(np.float32), 22050)
    return cancelling(recording), np.concatenate(list(mono_blocks(recording, 22050)))


def test_of_channels_out_of_phase_the_left_one_is_heard(tmp_path: Path) -> None:
    left = 0.1 * np.random.default_rng(3).standard_normal(600_001).astype(np.float32)
    one, mono = heard(np.stack([left, -left]), tmp_path)
    assert one == 0
    np.testing.assert_array_equal(mono, left)


def test_of_channels_that_nearly_cancel_the_louder_one_is_heard(tmp_path: Path) -> None:
    left = 0.1 * np.random.default_rng(3).standard_normal(600_001).astype(np.float32)
    one, mono = heard(np.stack([left, -1.2 * left]), tmp_path)
    assert one == 1
    np.testing.assert_array_equal(mono, (-1.2 * left).astype(np.float32))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_channels_that_do_not_cancel_are_all_heard(channels: int, alike: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    common, own = rng.standard_normal((1, 100_000)), rng.standard_normal((channels, 100_000))
    audio = (0.05 * (alike * common + (1 - alike) * own)).astype(np.float32)
    one, mono = heard(audio, tmp_path)
    assert one is None
    np.testing.assert_allclose(mono, audio.mean(axis=0), atol=1e-7)


def test_silence_and_a_channel_alone_cancel_nothing(tmp_path: Path) -> None:
    assert heard(np.zeros((2, 1000)), tmp_path)[0] is None
    assert heard(np.stack([np.full(1000, 0.1), np.zeros(1000)]), tmp_path)[0] is None


@given(st.lists(st.integers(0, 3000), max_size=6), st.sampled_from([(1024, 256), (1024, 512), (64, 64)]))
def test_frames_are_the_same_however_the_audio_is_cut(lengths: list[int], sizes: tuple[int, int]) -> None:
    size, hop = sizes
    audio = np.arange(1, sum(lengths) + 1, dtype=np.float32)
    blocks = np.split(audio, np.cumsum(lengths)[:-1]) if lengths else []
    frames = np.concatenate(list(overlapping_frames(iter(blocks), size, hop)))
    padded = np.pad(audio, size // 2)
    expected = [padded[at : at + size] for at in range(0, len(audio) + 1, hop)]
    np.testing.assert_array_equal(frames, expected)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(-80, 300))
def test_moved_audio_is_cut_or_padded_at_its_start(lengths: list[int], frames: int) -> None:
    audio = np.arange(1, sum(lengths) + 1, dtype=np.float32)
    blocks = iter(np.split(audio, np.cumsum(lengths)[:-1]))
    expected = np.pad(audio, (max(-frames, 0), 0))[max(frames, 0) :]
    np.testing.assert_array_equal(np.concatenate(list(moved(blocks, frames))), expected)
