from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.deess import Deess
from resonate_resources.restoration.step import Facts, Mended
from resonate_tests.benchmarks.damage.distance import si_sdr_db
from resonate_tests.benchmarks.damage.sibilance import sibilant
from resonate_tests.resources.restoration.test_declip import TRACES

RATE = 44_100


def voice(rate: int = RATE, channels: int = 1) -> Samples:
    """Vowels of 150 Hz, 0.35 s each, and between them an /s/ of 0.12 s, 8 dB under them (noise from 5 to 9 kHz)."""
    from scipy.signal import butter, sosfilt

    time = np.arange(int(4 * rate)) / rate
    spoken = time % 0.5
    vowel = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 12)) * (spoken < 0.35)
    hiss = np.random.default_rng(0).standard_normal(len(time))
    top = min(9000.0, 0.45 * rate)
    hiss = sosfilt(butter(4, (5000.0, top), "band", fs=rate, output="sos"), hiss) * (
        (spoken > 0.37) & (spoken < 0.49)
    )
    vowel *= 0.2 / np.std(vowel[spoken < 0.35])
    hiss *= 0.2 * 10 ** (-8 / 20) / np.std(hiss[(spoken > 0.38) & (spoken < 0.48)])
    return np.tile((vowel + hiss).astype(np.float32), (channels, 1))


def mend(folder: Path, samples: Samples, rate: int = RATE, kind: str = "vocals") -> tuple[Mended, Recording]:
    recording = write_samples(folder / "in.wav", samples, rate)
    facts = Facts(kind, TRACES)
    return Deess().mend(recording, facts, "balanced", folder / "out.wav", silent), recording


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_sibilants_that_stick_out_come_nearer_to_what_they_were(tmp_path: Path, rate: int) -> None:
    clean = voice(rate)
    sharp = sibilant(clean, rate, np.random.default_rng(0), 18)
    out = mend(tmp_path, sharp, rate)[0].recording.read()

    assert si_sdr_db(out, clean) > si_sdr_db(sharp, clean) + 4
    assert out.shape == clean.shape


def test_vowels_stay_to_the_bit(tmp_path: Path) -> None:
    sharp = sibilant(voice(), RATE, np.random.default_rng(0), 18)
    out = mend(tmp_path, sharp)[0].recording.read()

    spoken = np.arange(sharp.shape[1]) / RATE % 0.5
    vowels = (spoken > 0.05) & (spoken < 0.3)
    assert np.array_equal(out[:, vowels], sharp[:, vowels])


def test_a_voice_as_voices_are_is_the_very_recording(tmp_path: Path) -> None:
    mended, recording = mend(tmp_path, voice())
    assert mended.recording is recording and not (tmp_path / "out.wav").exists()


def test_what_is_no_voice_and_what_has_no_sibilants_is_the_very_recording(tmp_path: Path) -> None:
    sharp = sibilant(voice(), RATE, np.random.default_rng(0), 18)
    for kind, samples, rate in (("drums", sharp, RATE), ("vocals", sharp[:, ::6], 8_000)):
        mended, recording = mend(tmp_path, samples, rate, kind)
        assert mended.recording is recording


def test_channels_share_their_gain(tmp_path: Path) -> None:
    """A half-level twin stays one."""
    sharp = sibilant(voice(), RATE, np.random.default_rng(0), 18)
    left, right = mend(tmp_path, np.concatenate([sharp, 0.5 * sharp]))[0].recording.read()
    np.testing.assert_allclose(right, 0.5 * left, atol=1e-6)


@pytest.mark.parametrize("frames", [0, 1, 300])
def test_nearly_nothing_stays(tmp_path: Path, frames: int) -> None:
    for level in (0.0, 0.5):
        mended, recording = mend(tmp_path, np.full((2, frames), level, np.float32))
        assert mended.recording is recording
