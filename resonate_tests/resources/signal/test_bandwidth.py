from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.bandwidth import Bandwidth, detect_bandwidth


def noise(sample_rate: int, seconds: float = 3, channels: int = 1, seed: int = 0) -> Samples:
    frames = int(sample_rate * seconds)
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def brick_walled(samples: Samples, cutoff_hz: float, sample_rate: int) -> Samples:
    """Nothing above the cut-off, everything below it unchanged: the ideal filter."""
    spectrum = np.fft.rfft(samples)
    spectrum[:, np.fft.rfftfreq(samples.shape[1], 1 / sample_rate) > cutoff_hz] = 0
    return np.fft.irfft(spectrum, samples.shape[1]).astype(np.float32)


def bandwidth_of(samples: Samples, sample_rate: int) -> Bandwidth:
    with tempfile.TemporaryDirectory() as folder:
        return detect_bandwidth(write_samples(Path(folder) / "audio.wav", samples, sample_rate))


@settings(max_examples=25)
@given(
    sample_rate=st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000]),
    cutoff=st.floats(0.1, 0.95),
    floor_dbfs=st.sampled_from([-120.0, -90.0, -70.0]),
    seed=st.integers(0, 99),
)
def test_finds_the_cut_off_of_low_passed_noise_over_any_noise_floor(
    sample_rate: int, cutoff: float, floor_dbfs: float, seed: int
) -> None:
    cutoff_hz = cutoff * sample_rate / 2
    low_passed = brick_walled(noise(sample_rate, seed=seed), cutoff_hz, sample_rate)
    hiss = noise(sample_rate, seed=seed + 1) * 10 ** ((floor_dbfs + 20) / 20)

    found = bandwidth_of(low_passed + hiss, sample_rate)

    # Six spectral lines of 12 Hz: the width of the analysis window's main lobe.
    assert found.upper_hz == pytest.approx(cutoff_hz, rel=0.02, abs=75)


@pytest.mark.parametrize("sample_rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("tilt_db_per_octave", [0, -3, -6, -12])
def test_a_spectrum_that_only_slopes_reaches_the_nyquist_frequency(
    sample_rate: int, tilt_db_per_octave: int
) -> None:
    samples = noise(sample_rate)
    frequencies = np.fft.rfftfreq(samples.shape[1], 1 / sample_rate)
    tilt = (np.maximum(frequencies, 200) / 200) ** (tilt_db_per_octave / 6.02)
    tilted = np.fft.irfft(np.fft.rfft(samples) * tilt, samples.shape[1]).astype(np.float32)

    found = bandwidth_of(tilted, sample_rate)

    assert found.upper_hz == sample_rate / 2
    assert not found.brick_wall


@pytest.mark.parametrize("cutoff_hz", [16_000, 19_000, 20_000])
def test_a_brick_wall_where_codecs_cut_is_called_so(cutoff_hz: int) -> None:
    found = bandwidth_of(brick_walled(noise(44_100, channels=2), cutoff_hz, 44_100), 44_100)

    assert found.brick_wall
    assert found.codec_cutoff


@pytest.mark.parametrize("cutoff_hz", [3_400, 8_000, 12_000])
def test_an_analogue_filter_is_no_brick_wall_and_ends_at_its_corner(cutoff_hz: int) -> None:
    corner = signal.butter(6, cutoff_hz, fs=44_100, output="sos")
    found = bandwidth_of(signal.sosfilt(corner, noise(44_100)).astype(np.float32), 44_100)

    assert not found.brick_wall
    assert found.upper_hz == pytest.approx(cutoff_hz, rel=0.15)


def test_a_wall_where_no_codec_cuts_is_not_a_codecs() -> None:
    found = bandwidth_of(brick_walled(noise(44_100), 11_000, 44_100), 44_100)

    assert found.brick_wall
    assert not found.codec_cutoff


def test_the_floor_is_the_level_of_the_noise_above_the_cut_off() -> None:
    hiss = noise(44_100, seconds=10, seed=1) * 1e-3
    found = bandwidth_of(brick_walled(noise(44_100, seconds=10), 8_000, 44_100) + hiss, 44_100)

    # White noise of −80 dBFS RMS spread over 2048 lines, through a window of 2.0 lines' noise bandwidth
    # (Harris 1978), against a sine's −3 dB: −110 + 6. The 95th percentile of its power is 3.0 times the mean.
    assert found.floor_db == pytest.approx(-80 - 33.1 + 3 + 3 + 4.8, abs=3)


def test_cymbals_that_sound_a_tenth_of_the_time_count() -> None:
    dark = brick_walled(noise(44_100, seconds=10), 5_000, 44_100)
    strokes = noise(44_100, seconds=10, seed=3) * (np.arange(441_000) % 44_100 < 6_000)

    assert bandwidth_of((dark + strokes).astype(np.float32), 44_100).upper_hz == 22_050


@pytest.mark.parametrize("frames", [0, 1, 4_000, 44_100])
def test_silence_and_a_dc_offset_have_no_bandwidth(frames: int) -> None:
    assert bandwidth_of(np.zeros((2, frames), np.float32), 44_100).upper_hz == 0
    assert bandwidth_of(np.full((1, 4 * frames), 0.3, np.float32), 44_100).upper_hz < 50


def test_digital_silence_before_and_after_changes_nothing() -> None:
    dark = brick_walled(noise(44_100, seconds=5), 9_000, 44_100)
    silent = np.zeros((1, 60 * 44_100), np.float32)
    among = bandwidth_of(np.concatenate([silent, dark, silent], axis=1), 44_100)
    assert among.upper_hz == pytest.approx(bandwidth_of(dark, 44_100).upper_hz, abs=30)
