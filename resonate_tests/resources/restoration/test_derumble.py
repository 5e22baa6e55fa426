from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.derumble import Derumble
from resonate_resources.restoration.step import Facts, Mended
from resonate_resources.signal.traces import Traces

RATE = 16_000
SECONDS = 20
FACTS = Facts("track", Traces(8000.0, "none", (), None, (), None, None, (0.0,), 0, None, None, None, None))


def noise(low_hz: float, high_hz: float, rms_db: float, seed: int) -> Samples:
    """(1, frames) of noise in a band."""
    frames = SECONDS * RATE
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    hertz = np.fft.rfftfreq(frames, 1 / RATE)
    spectrum[(hertz < low_hz) | (hertz > high_hz)] = 0
    band = np.fft.irfft(spectrum, frames)
    return (10 ** (rms_db / 20) * band / band.std()).astype(np.float32)[None]


def mend(tmp_path: Path, samples: Samples) -> Mended:
    recording = write_samples(tmp_path / "in.wav", samples, RATE)
    return Derumble().mend(recording, FACTS, "balanced", tmp_path / "out.wav", silent)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_steady_rumble_far_under_the_bass_goes_and_the_music_stays(tmp_path: Path, channels: int) -> None:
    music = np.tile(noise(80, 200, -10, seed=1) + noise(45, 6000, -40, seed=6), (channels, 1))
    rumble = np.tile(noise(12, 28, -45, seed=2), (channels, 1))

    mended = mend(tmp_path, music + rumble).recording.read()

    middle = slice(RATE, -RATE)  # the filter rings where the recording begins and ends
    off = (mended - music)[:, middle]
    assert mended.shape == music.shape
    assert 10 * np.log10(np.mean(off**2) / np.mean(rumble**2)) < -40


def test_lows_that_belong_to_the_music_are_left_to_the_bit(tmp_path: Path) -> None:
    music = noise(20, 6000, -20, seed=3)
    assert mend(tmp_path, music).recording.path == tmp_path / "in.wav"


def test_lows_that_come_and_go_with_the_beat_are_no_rumble(tmp_path: Path) -> None:
    beat = (np.arange(SECONDS * RATE) % RATE < RATE // 4).astype(np.float32)
    music = noise(80, 200, -10, seed=4) + beat * noise(22, 35, -36, seed=5)
    assert mend(tmp_path, music).recording.path == tmp_path / "in.wav"


@pytest.mark.parametrize("frames", [1, 50, RATE])
def test_silence_and_shreds_are_left(tmp_path: Path, frames: int) -> None:
    assert mend(tmp_path, np.zeros((2, frames), np.float32)).recording.path == tmp_path / "in.wav"
