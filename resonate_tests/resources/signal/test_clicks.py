from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.clicks import clicks_between, clicks_per_second, prediction_error_filters

RATE = 44_100


def noise(seconds: float, level: float = 0.02, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, level, (1, int(seconds * RATE))).astype(np.float32)


def test_levinson_solves_the_normal_equations() -> None:
    from scipy.linalg import solve_toeplitz

    frames = np.random.default_rng(0).standard_normal((3, 512)).cumsum(axis=1)
    filters = prediction_error_filters(frames, 8)
    for frame, coefficients in zip(frames * np.hanning(513)[:-1], filters, strict=True):
        lags = np.correlate(frame, frame, "full")[511 : 511 + 9]
        lags[0] *= 1 + 1e-7
        np.testing.assert_allclose(
            coefficients[1:], solve_toeplitz(lags[:-1], -lags[1:]), rtol=1e-4, atol=1e-6
        )


def test_clicks_are_found_where_they_are(tmp_path: Path) -> None:
    places = [10_000, 30_000, 50_001, 88_000]
    samples = noise(3)
    samples[0, places] += 0.5
    clicks = clicks_between(write_samples(tmp_path / "a.wav", samples, RATE), 0, samples.shape[1])[0]

    assert len(clicks.spans) == len(places)
    for (start, stop), place in zip(clicks.spans, places, strict=True):
        assert start <= place < stop <= start + 60


def test_the_rate_is_that_of_the_channel_that_has_most(tmp_path: Path) -> None:
    samples = np.concatenate([noise(4, seed=1), noise(4, seed=2)])
    samples[0, 5_000:160_000:20_000] += 0.5
    samples[1, 8_000::60_000] -= 0.5
    assert clicks_per_second(write_samples(tmp_path / "a.wav", samples, RATE)) == pytest.approx(8 / 4)


def test_blows_that_sound_on_are_no_clicks(tmp_path: Path) -> None:
    """A drum's attack is as steep as a click, and decays in 30 ms."""
    samples = noise(4, 0.001)
    time = np.arange(RATE // 4) / RATE
    blow = np.exp(-time / 0.03) * np.random.default_rng(5).standard_normal(len(time))
    for start in range(5_000, samples.shape[1] - len(time), 15_000):
        samples[0, start : start + len(time)] += (0.4 * blow).astype(np.float32)
    assert clicks_per_second(write_samples(tmp_path / "a.wav", samples, RATE)) == 0


def test_notes_that_begin_with_a_corner_are_no_clicks(tmp_path: Path) -> None:
    """As a synthesiser's without attack do."""
    samples = noise(4, 0.001)
    time = np.arange(RATE // 4) / RATE
    for start in range(5_000, samples.shape[1] - len(time), RATE // 4):
        note = sum(np.sin(2 * np.pi * 330 * k * time) / k for k in range(1, 8)) * np.exp(-time / 0.1)
        samples[0, start : start + len(time)] += (0.3 * note).astype(np.float32)
    assert clicks_per_second(write_samples(tmp_path / "a.wav", samples, RATE)) == 0


@pytest.mark.parametrize("hertz", [90, 110, 220])
def test_pulses_of_voices_and_reeds_are_no_clicks(tmp_path: Path, hertz: float) -> None:
    samples = noise(3, 0.0003)
    at = (np.arange(0, 3, 1 / hertz) * RATE).astype(int)
    pulses = np.zeros(samples.shape[1])
    pulses[at] = 1
    ringing = np.exp(-np.arange(200) / 30) * np.cos(np.arange(200) * 0.3)
    samples[0] += (0.4 * np.convolve(pulses, ringing)[: samples.shape[1]]).astype(np.float32)
    assert clicks_per_second(write_samples(tmp_path / "a.wav", samples, RATE)) == 0


def test_silence_one_sample_and_steps_at_the_ends_have_no_clicks(tmp_path: Path) -> None:
    for samples in (np.zeros((1, 0)), np.zeros((2, 1)), np.ones((1, 1)), np.full((1, 9_000), 0.5)):
        recording = write_samples(tmp_path / "a.wav", samples.astype(np.float32), RATE)
        assert clicks_per_second(recording) == 0
