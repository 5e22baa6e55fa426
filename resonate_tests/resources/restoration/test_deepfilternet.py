from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration import deepfilternet
from resonate_resources.restoration.deepfilternet import DeepFilterNet, enhanced, judge, without
from resonate_tests.benchmarks.damage.distance import si_sdr_db
from resonate_tests.benchmarks.damage.noise import white
from resonate_tests.programs import required
from resonate_tests.resources.restoration.test_denoise import FACTS, drone, plucked

RATE = 48_000


def spoken() -> Samples:
    """(1, frames) at 48 kHz: 6 s of a woman's voice, recorded at 16 kHz; nothing else is one to the network."""
    file = required("asterisk-core-sounds-en-g722") / "demo-congrats.g722"
    with av.open(str(file), format="g722") as container:
        heard = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples = np.concatenate(heard)[: 6 * 16_000].astype(np.float32) / 32_768
    return np.asarray(soxr.resample(samples, 16_000, RATE), np.float32)[None]


def pulses(seconds: float = 5) -> Samples:
    """(1, frames): a buzz of 120 Hz that comes and goes three times a second."""
    time = np.arange(int(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 120 * part * time) / part for part in range(1, 20))
    return (0.1 * buzz * np.maximum(np.sin(2 * np.pi * 3 * time), 0)).astype(np.float32)[None]


def mended(samples: Samples, folder: Path, rate: int = RATE) -> tuple[Samples | None, str]:
    recording = write_samples(folder / "in.wav", samples, rate)
    made = DeepFilterNet().mend(recording, FACTS, "balanced", folder / "out.wav", silent)
    if made.recording is recording:
        return None, made.note
    assert made.recording.sample_rate == rate
    return made.recording.read(), made.note


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2)])
def test_a_voice_comes_out_of_noise(tmp_path: Path, rate: int, channels: int) -> None:
    clean = np.repeat(soxr.resample(spoken()[0], RATE, rate)[None], channels, axis=0)
    noisy = white(clean, rate, np.random.default_rng(1), 5)
    better, note = mended(noisy, tmp_path, rate)
    assert better is not None, note
    assert better.shape == clean.shape
    assert si_sdr_db(better, clean) > si_sdr_db(noisy, clean) + 6


def test_what_the_network_says_is_in_time_to_the_sample() -> None:
    """Of noise a quarter is left, at a limit of 12 dB."""
    noise = np.random.default_rng(0).standard_normal((1, 40_321)).astype(np.float32) * np.float32(0.1)
    left = np.concatenate([*enhanced(iter([noise]), noise.shape[1], 12.0)], axis=1)
    assert left.shape == noise.shape
    alike = [float(np.vdot(np.roll(left, lag), noise) / np.vdot(noise, noise)) for lag in range(-5, 6)]
    assert int(np.argmax(alike)) == 5
    assert alike[5] == pytest.approx(0.25, abs=0.05)


def test_channels_share_gains_so_that_each_stays_where_it_stood(tmp_path: Path) -> None:
    one = white(pulses(2), RATE, np.random.default_rng(1), 5)
    recording = write_samples(tmp_path / "in.wav", np.concatenate([one, one * np.float32(0.25)]), RATE)
    taken = write_samples(tmp_path / "taken.wav", 0.5 * (one - pulses(2)), RATE)
    left = np.concatenate([*without(recording, taken, 18.0)], axis=1)
    np.testing.assert_allclose(left[1], left[0] * 0.25, atol=1e-6)
    assert si_sdr_db(left[:1], pulses(2)) > si_sdr_db(one, pulses(2)) + 4


@pytest.mark.parametrize("music", [plucked(5, 2, RATE), plucked(5, 1, RATE) + drone(1, 5, RATE)])
def test_music_is_given_back_as_it_is(tmp_path: Path, music: Samples) -> None:
    better, note = mended(music, tmp_path)
    assert better is None, note


def test_voices_that_sing_along_are_no_noise(tmp_path: Path) -> None:
    voice = spoken()
    clean = voice + np.float32(0.5) * voice[:, ::-1] + np.float32(0.5) * np.roll(voice, RATE)
    better, note = mended(white(clean, RATE, np.random.default_rng(1), 25), tmp_path)
    assert better is None, note


def judged(tmp_path: Path, voice: Samples, taken: Samples) -> str | None:
    recording = write_samples(tmp_path / "in.wav", voice + taken, RATE)
    return judge(recording, write_samples(tmp_path / "taken.wav", taken, RATE), 18.0).refusal()


def test_what_is_taken_may_be_noise_but_no_tones_and_nothing_that_follows_the_voice(tmp_path: Path) -> None:
    voice = pulses()
    noise = np.random.default_rng(0).standard_normal(voice.shape).astype(np.float32) * np.float32(0.01)
    moving = np.interp(np.arange(voice.shape[1]), np.arange(0, voice.shape[1], 500), np.abs(voice[0, ::500]))
    chord = drone(1, 5, RATE)
    assert judged(tmp_path, voice, noise) is None
    assert "tones" in (judged(tmp_path, voice, np.float32(0.1) * chord) or "")
    assert "comes and goes" in (judged(tmp_path, voice, noise * (moving * 30).astype(np.float32)) or "")
    assert "no noise" in (judged(tmp_path, voice, voice * np.float32(1e-4)) or "")


def test_blocks_are_cleaned_without_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = white(np.repeat(pulses(1), 2, axis=0), RATE, np.random.default_rng(1), 5)
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
