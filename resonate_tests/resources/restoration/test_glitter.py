from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.glitter import Deshimmer, glittering
from resonate_resources.restoration.step import Facts
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.damage.generated import shimmer

RATE = 44_100


def breath(seconds: float = 6, channels: int = 2, rate: int = RATE) -> Samples:
    """Noise that falls by 6 dB an octave from 1 kHz and swells twice a second: no onset, no peaks but by chance."""
    from scipy.signal import lfilter

    frames = round(seconds * rate)
    noise = np.random.default_rng(3).standard_normal((channels, frames))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 2 * np.arange(frames) / rate)
    pole = np.exp(-2 * np.pi * 1000 / rate)
    return np.asarray(0.2 * lfilter([1 - pole], [1, -pole], noise, axis=1) * swell, np.float32)


def test_shimmer_comes_down_and_the_truth_nearer(tmp_path: Path) -> None:
    clean = breath()
    damaged = shimmer(clean, RATE, np.random.default_rng(4), 6.0)
    recording = write_samples(tmp_path / "in.wav", damaged, RATE)
    facts = Facts("track", find_traces(recording))

    after = Deshimmer().mend(recording, facts, "balanced", tmp_path / "out.wav", silent).recording.read()

    before_db, after_db = (log_spectral_distance(each, clean, RATE) for each in (damaged, after))
    assert after_db < 0.75 * before_db
    assert si_sdr_db(after, clean) > si_sdr_db(damaged, clean) + 2


@pytest.mark.parametrize("rate", [8000, 44_100, 96_000])
def test_noise_has_no_shimmer_and_is_the_very_recording(tmp_path: Path, rate: int) -> None:
    recording = write_samples(tmp_path / "in.wav", breath(rate=rate), rate)
    facts = Facts("track", find_traces(recording))

    assert (
        Deshimmer().mend(recording, facts, "aggressive", tmp_path / "out.wav", silent).recording is recording
    )


def test_a_sample_and_silence_are_the_very_recordings(tmp_path: Path) -> None:
    for frames in (1, 44_100):
        recording = write_samples(tmp_path / "in.wav", np.zeros((1, frames), np.float32), RATE)
        facts = Facts("track", replace(find_traces(recording), shimmer=0.9))
        assert (
            Deshimmer().mend(recording, facts, "balanced", tmp_path / "out.wav", silent).recording
            is recording
        )


def test_chunks_change_nothing(tmp_path: Path) -> None:
    recording = write_samples(
        tmp_path / "in.wav", shimmer(breath(), RATE, np.random.default_rng(4), 6.0), RATE
    )

    whole, parts = (
        np.concatenate(list(glittering(recording, 9.0, frames)), axis=1) for frames in (1 << 20, 1 << 15)
    )

    # An onset is told against the loudest octave of what is seen, so that here and there a peak is one in one only.
    assert np.mean(np.abs(whole - parts).max(axis=0) > 1e-6) < 0.02


def test_both_channels_are_turned_down_alike(tmp_path: Path) -> None:
    left = shimmer(breath(channels=1), RATE, np.random.default_rng(4), 6.0)
    recording = write_samples(tmp_path / "in.wav", np.concatenate([left, 0.25 * left]), RATE)

    peaks = np.concatenate(list(glittering(recording, 9.0)), axis=1)

    assert np.abs(peaks).max() > 0
    assert np.allclose(peaks[1], 0.25 * peaks[0], atol=1e-6)
