from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.restoration.rumble import cut_rumble, rumble

RATE = 8_000


def tone(hz: float, seconds: float = 8, rate: int = RATE) -> Samples:
    """A sine of amplitude 0.5, in one channel."""
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32)[None]


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("hz", [10, 20, 29])
def test_rumble_is_cut_and_its_energy_told(tmp_path: Path, hz: float, rate: int) -> None:
    music = tone(440, rate=rate)
    rumbling = write_samples(tmp_path / "in.wav", music + np.float32(0.1) * tone(hz, rate=rate), rate)

    cut, taken = cut_rumble(rumbling, tmp_path / "cut.wav")

    middle = slice(rate, -rate)  # the filter rings where the tone begins and ends
    assert np.abs(cut.read() - music)[:, middle].max() < 0.5 * 0.1 * 10 ** (-54 / 20)
    assert taken == pytest.approx(0.01 / 1.01, rel=0.02)


@pytest.mark.parametrize("hz", [40, 41.2, 55, 100, 1_000])
def test_notes_of_a_bass_and_higher_stay_to_the_phase(tmp_path: Path, hz: float) -> None:
    music = tone(hz)
    cut, _ = cut_rumble(write_samples(tmp_path / "in.wav", music, RATE), tmp_path / "cut.wav")

    middle = slice(RATE, -RATE)
    assert np.abs(cut.read() - music)[:, middle].max() < 0.5 * 10 ** (-54 / 20)  # designed for −60 dB


@settings(max_examples=20)
@given(
    frames=st.integers(0, 3 * RATE),
    block=st.integers(100, 2 * RATE),
    channels=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_the_size_of_blocks_changes_nothing(frames: int, block: int, channels: int, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32) * 0.1
    with tempfile.TemporaryDirectory() as folder:
        recording = write_samples(Path(folder) / "in.wav", samples, RATE)
        whole, parts = (list(rumble(recording, size)) for size in (10 * RATE, block))

    assert sum(part.shape[1] for part in parts) == frames
    if frames:
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole[0], atol=1e-6)
