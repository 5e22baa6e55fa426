from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration import deepfilternet
from resonate_resources.restoration.deepfilternet import DeepFilterNet, judge, without
from resonate_tests.benchmarks.damage.distance import si_sdr_db
from resonate_tests.benchmarks.damage.noise import white
from resonate_tests.resources.restoration.test_denoise import FACTS, drone, plucked

RATE = 48_000


def spoken(seconds: float = 5, rate: int = RATE, seed: int = 0) -> Samples:
    """(1, frames): syllables of a falling voice of 120 Hz through moving formants, with pauses: enough of a voice for
    the network, which was trained on real ones."""
    rng = np.random.default_rng(seed)
    frames = int(seconds * RATE)
    time = np.arange(frames) / RATE
    pitch = 120 * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time) + 0.02 * np.sin(2 * np.pi * 5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    corners = int(seconds * 4) + 2
    formants = [
        np.interp(time * 4, np.arange(corners), rng.uniform(low, high, corners))
        for low, high in ((300, 800), (900, 2200), (2300, 2900))
    ]
    voice = np.zeros(frames)
    for part in range(1, 34):
        hertz = part * pitch
        shape = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in formants)
        voice += shape * np.sin(part * phase)
    level = np.interp(time * 8, np.arange(2 * corners + 8), rng.choice([0.0, 1.0, 1.0], 2 * corners + 8))
    voice *= level
    return soxr.resample((0.1 * voice / np.abs(voice).max() * 3).astype(np.float32), RATE, rate)[None]


def mended(samples: Samples, folder: Path, rate: int = RATE) -> tuple[Samples | None, str]:
    recording = write_samples(folder / "in.wav", samples, rate)
    made = DeepFilterNet().mend(recording, FACTS, "balanced", folder / "out.wav", silent)
    if made.recording is recording:
        return None, made.note
    assert made.recording.sample_rate == rate
    return made.recording.read(), made.note


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (16_000, 1)])
def test_a_voice_comes_out_of_noise_in_time_to_the_sample(tmp_path: Path, rate: int, channels: int) -> None:
    clean = np.repeat(spoken(rate=rate), channels, axis=0)
    noisy = white(clean, rate, np.random.default_rng(1), 5)
    better, note = mended(noisy, tmp_path, rate)
    assert better is not None, note
    assert better.shape == clean.shape
    assert si_sdr_db(better, clean) > si_sdr_db(noisy, clean) + 4
    lags = [float(np.vdot(clean[0, 50:-50], np.roll(better[0], lag)[50:-50])) for lag in range(-3, 4)]
    assert int(np.argmax(lags)) == 3


def test_channels_share_gains_so_that_each_stays_where_it_stood(tmp_path: Path) -> None:
    noisy = white(spoken(), RATE, np.random.default_rng(1), 5)
    better, _ = mended(np.concatenate([noisy, noisy * np.float32(0.25)]), tmp_path)
    assert better is not None
    np.testing.assert_allclose(better[1], better[0] * 0.25, atol=1e-6)


@pytest.mark.parametrize(
    "music", [plucked(6, 2, RATE), drone(2, 6, RATE), plucked(6, 1, RATE) + drone(1, 6, RATE)]
)
def test_music_is_given_back_as_it_is(tmp_path: Path, music: Samples) -> None:
    better, note = mended(music, tmp_path)
    assert better is None, note


def test_backing_voices_are_no_noise(tmp_path: Path) -> None:
    clean = spoken() + np.float32(0.5) * spoken(seed=1)[:, ::-1] + np.float32(0.3) * drone(1, 5, RATE)
    better, note = mended(white(clean, RATE, np.random.default_rng(1), 25), tmp_path)
    assert better is None, note


def judged(tmp_path: Path, voice: Samples, taken: Samples) -> str | None:
    recording = write_samples(tmp_path / "in.wav", voice + taken, RATE)
    return judge(recording, write_samples(tmp_path / "taken.wav", taken, RATE), 18.0).refusal()


def test_what_is_taken_may_be_noise_but_no_tones_and_nothing_that_follows_the_voice(tmp_path: Path) -> None:
    voice = spoken()
    noise = np.random.default_rng(0).standard_normal(voice.shape).astype(np.float32) * np.float32(0.01)
    moving = np.interp(np.arange(voice.shape[1]), np.arange(0, voice.shape[1], 500), np.abs(voice[0, ::500]))
    chord = drone(1, 5, RATE)
    assert judged(tmp_path, voice, noise) is None
    assert "tones" in (judged(tmp_path, voice, np.float32(0.1) * chord) or "")
    assert "comes and goes" in (judged(tmp_path, voice, noise * (moving * 30).astype(np.float32)) or "")
    assert "no noise" in (judged(tmp_path, voice, voice * np.float32(1e-4)) or "")


def test_blocks_are_cleaned_without_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = white(np.repeat(spoken(3), 2, axis=0), RATE, np.random.default_rng(1), 5)
    recording = write_samples(tmp_path / "in.wav", noisy, RATE)
    taken = write_samples(tmp_path / "taken.wav", noisy[:1] * np.float32(0.5), RATE)
    whole = np.concatenate([*without(recording, taken, 18.0)], axis=1)
    monkeypatch.setattr(deepfilternet, "_BLOCK", 1000)
    parts = np.concatenate([*without(recording, taken, 18.0)], axis=1)
    np.testing.assert_allclose(whole, parts, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
@pytest.mark.parametrize("samples", [np.zeros((2, 4000)), np.full((1, 1), 0.5), np.zeros((1, 0))])
def test_silence_and_single_samples_are_left_alone(tmp_path: Path, samples: Samples, rate: int) -> None:
    assert mended(samples.astype(np.float32), tmp_path, rate)[0] is None


def test_without_its_wheel_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DeepFilterNet().unavailable() is None
    monkeypatch.setattr(deepfilternet, "_weights", lambda: None)
    assert deepfilternet.INSTALL in (DeepFilterNet().unavailable() or "")


def test_weights_that_are_not_the_published_ones_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "DeepFilterNet3_onnx.tar.gz"
    other.write_bytes(b"half of it")
    monkeypatch.setattr(deepfilternet, "_weights", lambda: other)
    assert "not the published file" in (DeepFilterNet().unavailable() or "")
