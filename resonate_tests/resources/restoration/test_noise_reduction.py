from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noisereduce import reduce_noise
from scipy import signal

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.restoration.denoising import plan_reduction
from resonate_resources.restoration.noise import SteadyNoise, estimate_noise
from resonate_resources.restoration.noisereduce_engine import STRENGTHS, Strength
from resonate_resources.restoration.spectral_gate import gate
from resonate_resources.signal.bandwidth import measure_line_levels
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import DemoSong

RATE = 44_100


def white_noise(channels: int, frames: int, rms_dbfs: float, seed: int = 0) -> Samples:
    noise = np.random.default_rng(seed).standard_normal((channels, frames))
    return (noise * 10 ** (rms_dbfs / 20)).astype(np.float32)


def noise_of(recording: Recording) -> SteadyNoise:
    return estimate_noise(measure_line_levels(recording.blocks(), recording.sample_rate), recording.channels)


@pytest.fixture(scope="module")
def voice(demo_song: DemoSong) -> Samples:
    """Twenty seconds of the sung line, rests included, at −20 dBFS RMS."""
    sung = demo_song.stems["vocals"].read(8 * RATE, 28 * RATE)
    return (sung * 10 ** (-20 / 20) / np.sqrt(np.mean(sung**2))).astype(np.float32)


@settings(max_examples=15)
@given(
    rate=st.sampled_from([8_000, 44_100, 96_000]),
    channels=st.integers(1, 6),
    level=st.floats(-80, -20),
    seed=st.integers(0, 99),
)
def test_the_level_of_noise_alone_is_found(rate: int, channels: int, level: float, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        found = noise_of(write_samples(path, white_noise(channels, 4 * rate, level, seed), rate))

    assert found.level_db == pytest.approx(level, abs=1)  # levels are kept to 1 dB


def test_held_tones_are_no_noise(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    held = sum(0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (110, 1250, 5000))
    noise = white_noise(1, len(time), -70)
    found = noise_of(write_samples(tmp_path / "held.wav", noise + held[None].astype(np.float32), RATE))
    assert found.level_db == pytest.approx(-70, abs=3)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("snr_db", [5, 15, 25])
def test_the_level_of_noise_under_a_voice_is_found(
    voice: Samples, tmp_path: Path, channels: int, snr_db: int
) -> None:
    noise = white_noise(channels, voice.shape[1], -20 - snr_db)
    found = noise_of(write_samples(tmp_path / "noisy.wav", voice[:channels] + noise, RATE))

    # Martin (2001) reports biases of minimum statistics under speech of this size.
    assert found.level_db == pytest.approx(-20 - snr_db, abs=2)


def test_the_spectrum_of_the_noise_is_found(tmp_path: Path) -> None:
    noise = signal.lfilter([0.1], [1, -0.9], white_noise(1, 20 * RATE, -30)).astype(np.float32)
    found = noise_of(write_samples(tmp_path / "coloured.wav", noise, RATE)).samples(RATE)

    def octave_levels(samples: Samples) -> list[float]:
        power = np.abs(np.fft.rfft(samples[0])) ** 2 / samples.shape[1]
        hz = np.fft.rfftfreq(samples.shape[1], 1 / RATE)
        bands = [(hz >= low) & (hz < 2 * low) for low in (250, 1_000, 4_000)]
        return [float(10 * np.log10(power[band].mean())) for band in bands]

    assert octave_levels(found) == pytest.approx(octave_levels(noise), abs=1)


def test_gating_in_chunks_gives_what_noisereduce_gives_for_the_whole(voice: Samples, tmp_path: Path) -> None:
    noisy = voice + white_noise(2, voice.shape[1], -35)
    noise = white_noise(1, RATE, -35, seed=1)
    whole = reduce_noise(
        noisy, RATE, stationary=True, y_noise=noise, chunk_size=None, padding=0, clip_noise_stationary=False
    )

    chunks = list(gate(write_samples(tmp_path / "noisy.wav", noisy, RATE), noise, chunk_frames=1 << 15))

    assert len(chunks) > 20
    # To the rounding of 32-bit samples; a seam would be as loud as the noise, at −35 dBFS.
    np.testing.assert_allclose(np.concatenate(chunks, axis=1), whole, atol=1e-6)


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25, 30])
@pytest.mark.parametrize("strength", STRENGTHS.values(), ids=list(STRENGTHS))
def test_noise_reduction_brings_a_voice_nearer_to_the_truth(
    voice: Samples, tmp_path: Path, snr_db: int, strength: Strength
) -> None:
    noisy = voice + white_noise(2, voice.shape[1], -20 - snr_db)
    recording = write_samples(tmp_path / "noisy.wav", noisy, RATE)

    reduction = plan_reduction(
        recording, noise_of(recording), strength.noise_share, strength.loss_db, tmp_path / "gated.wav"
    )
    reduced = np.concatenate(list(reduction.blocks()), axis=1)

    assert reduced.shape == noisy.shape
    assert si_sdr(reduced, voice) > si_sdr(noisy, voice)


def test_what_is_promised_to_come_off_the_noise_comes_off(tmp_path: Path) -> None:
    """A burst of tone, then eight seconds of noise alone."""
    noise = white_noise(1, 10 * RATE, -40)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    recording = write_samples(
        tmp_path / "noisy.wav", noise + np.pad(tone, (0, 8 * RATE)).astype(np.float32), RATE
    )

    reduction = plan_reduction(recording, noise_of(recording), 1.0, -40.0, tmp_path / "gated.wav")
    reduced = np.concatenate(list(reduction.blocks()), axis=1)

    rest = slice(3 * RATE, 9 * RATE)
    came_off = 20 * np.log10(np.std(noise[:, rest]) / np.std(reduced[:, rest]))
    assert came_off == pytest.approx(reduction.attenuation_db, abs=1)
    assert came_off > 1
