"""Timbre: what a recording is to be, and what it became, by changes whose order is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.quality.musicnn import HOP, SAMPLE_RATE, WINDOW
from resonate_resources.quality.scales import SCALES
from resonate_resources.quality.timbre import Timbre, hear_timbre, timbre
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.loudness import measure_loudness
from resonate_tests.resources.quality.test_musicnn import BOTH, signal


def heard(samples: Samples, file: Path) -> Timbre:
    recording = write_samples(file, samples, SAMPLE_RATE)
    return hear_timbre(recording, measure_loudness(recording).integrated_lufs, starts=BOTH)


def test_the_more_a_spectrum_is_tilted_the_farther_it_is(tmp_path: Path) -> None:
    spectrum = np.fft.rfft(signal())
    octaves = np.log2(np.maximum(np.arange(spectrum.shape[1]) / 6.0, 1) / 1000)
    tilted = [
        heard(
            np.fft.irfft(spectrum * 10 ** (slope * octaves / 20)).astype(np.float32), tmp_path / "tilted.wav"
        )
        for slope in (0.0, 0.5, 1.0, 2.0, 4.0)
    ]
    found = [timbre(tilted[0], one).amount for one in tilted]
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert found[1] < 0.05
    assert found[-1] > 0.1


def as_noise(samples: Samples) -> Samples:
    """Noise of the same spectrum."""
    spectrum = np.abs(np.fft.rfft(samples))
    angles = np.random.default_rng(5).uniform(0, 2 * np.pi, spectrum.shape)
    return np.fft.irfft(spectrum * np.exp(1j * angles), samples.shape[1]).astype(np.float32)


def test_noise_of_the_same_spectrum_is_grossly_different(tmp_path: Path) -> None:
    found = timbre(*(heard(one, tmp_path / "any.wav") for one in (signal(), as_noise(signal()))))
    assert found.amount > SCALES["timbre"].gross


def test_seconds_tell_where_the_sound_is_another(tmp_path: Path) -> None:
    samples = signal()
    half = WINDOW * HOP + HOP // 2
    broken = np.concatenate([samples[:, :half], as_noise(samples[:, half:])], axis=1)
    found = timbre(*(heard(one, tmp_path / "any.wav") for one in (samples, broken)))
    assert found.by_second is not None
    assert found.by_second[0] < 0.05
    assert found.by_second[3] > SCALES["timbre"].gross


@pytest.mark.parametrize("gain_db", [-30.0, 10.0])
def test_how_loud_a_recording_is_makes_no_difference(tmp_path: Path, gain_db: float) -> None:
    found = timbre(
        *(heard(one, tmp_path / "any.wav") for one in (signal(), np.float32(10 ** (gain_db / 20)) * signal()))
    )
    assert found.amount < 1e-4


@pytest.mark.parametrize(("degrees", "amount"), [(0, 0.0), (60, 0.5), (90, 1.0), (180, 2.0)])
def test_the_difference_is_one_less_the_cosine_of_the_means(degrees: float, amount: float) -> None:
    one, other = np.zeros((2, 2, 200))
    one[:, 0] = (1.0, 3.0)
    other[:, 0], other[:, 1] = 5 * np.cos(np.radians(degrees)), 5 * np.sin(np.radians(degrees))
    assert timbre(Timbre(one, BOTH), Timbre(other, BOTH)).amount == pytest.approx(amount, abs=1e-9)
