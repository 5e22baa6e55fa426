from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.restoration.comb import Decomb, find_spacing, find_teeth, without
from resonate_resources.restoration.step import Facts
from resonate_resources.signal.traces import find_traces
from resonate_tests.resources.restoration.sounds import struck_notes

RATE = 44_100


def music(seconds: float = 12, channels: int = 2, rate: int = RATE) -> Samples:
    return struck_notes(seconds, channels, rate, a_second=2, lowest_hz=110, partials=5, decay_hz=5, seed=1)


def lines(spacing: float, frames: int, rate: int = RATE, level: float = 2e-4) -> Samples:
    """(1, frames): a cosine at each multiple of spacing up to 0.95 of the Nyquist frequency, phases by chance.
    Of so many frames that a spacing is a whole number of spectral lines."""
    every = round(spacing * frames / rate)
    assert every == pytest.approx(spacing * frames / rate)
    spectrum = np.zeros(frames // 2 + 1, np.complex128)
    teeth = spectrum[every : round(0.475 * frames) : every]
    teeth[:] = np.exp(2j * np.pi * np.random.default_rng(2).uniform(size=len(teeth)))
    return (level * frames / 2 * np.fft.irfft(spectrum, frames))[None].astype(np.float32)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """Of a second of the music: this step looks for itself."""
    second = write_samples(tmp_path_factory.mktemp("facts") / "in.wav", music(1), RATE)
    return Facts("track", find_traces(second))


def left_db(one: Samples, other: Samples, comb: Samples) -> float:
    """What of a comb is left above 3 kHz, where no notes hide it."""
    highs = [butter_high(each) for each in (one - other, comb)]
    return float(10 * np.log10(np.square(highs[0]).mean() / np.square(highs[1]).mean()))


def butter_high(samples: Samples) -> Samples:
    return np.asarray(sosfilt(butter(8, 3000, "high", fs=RATE, output="sos"), samples), np.float32)


@pytest.mark.parametrize("spacing", [50.0, 86.25, 400 / 3])
def test_a_decoder_s_comb_goes_and_the_music_under_it_stays(
    tmp_path: Path, facts: Facts, spacing: float
) -> None:
    clean = music()
    comb = lines(spacing, clean.shape[1])
    recording = write_samples(tmp_path / "in.wav", clean + comb, RATE)

    mended = Decomb().mend(recording, facts, "balanced", tmp_path / "out.wav", silent)

    assert mended.measures["comb_spacing_hz"] == pytest.approx(spacing, abs=1e-3)
    after = mended.recording.read()
    assert after.shape == clean.shape
    assert left_db(after, clean, comb) < -20


@pytest.mark.parametrize(
    "samples",
    [music(), music(channels=1), np.zeros((2, 1), np.float32), np.zeros((1, 12 * RATE), np.float32)],
    ids=["music", "mono", "a sample", "silence"],
)
def test_what_has_no_comb_is_the_very_recording(tmp_path: Path, facts: Facts, samples: Samples) -> None:
    recording = write_samples(tmp_path / "in.wav", samples, RATE)

    mended = Decomb().mend(recording, facts, "balanced", tmp_path / "out.wav", silent)

    assert mended.recording is recording


def test_lines_stop_being_subtracted_where_they_stop(tmp_path: Path) -> None:
    clean = music(20)
    comb = lines(75.0, clean.shape[1])
    comb[:, 14 * RATE :] = 0
    recording = write_samples(tmp_path / "in.wav", clean + comb, RATE)
    spacing = find_spacing(recording)
    assert spacing is not None
    teeth = find_teeth(recording, spacing)
    assert teeth is not None

    after = np.concatenate(list(without(recording, teeth)), axis=1)

    assert np.array_equal(after[:, 17 * RATE :], clean[:, 17 * RATE :])
    assert left_db(after[:, : 12 * RATE], clean[:, : 12 * RATE], comb[:, : 12 * RATE]) < -20


@pytest.mark.parametrize("rate", [16_000, 96_000])
def test_other_rates_and_more_channels_have_their_combs_found(tmp_path: Path, rate: int) -> None:
    clean = music(10, 3, rate)
    recording = write_samples(tmp_path / "in.wav", clean + lines(100.0, clean.shape[1], rate), rate)

    spacing = find_spacing(recording)

    assert spacing is not None
    assert 100 / spacing == pytest.approx(round(100 / spacing), abs=1e-3)


def test_a_drone_with_many_partials_is_music(tmp_path: Path, facts: Facts) -> None:
    frames = 12 * RATE
    spectrum = np.zeros(frames // 2 + 1, np.complex128)
    partials = spectrum[110 * 12 : 20_000 * 12 : 110 * 12]
    partials[:] = np.exp(1j * np.arange(len(partials))) / np.arange(1, len(partials) + 1)
    drone = 0.1 * frames * np.fft.irfft(spectrum, frames)
    recording = write_samples(tmp_path / "in.wav", drone[None].astype(np.float32), RATE)

    mended = Decomb().mend(recording, facts, "balanced", tmp_path / "out.wav", silent)

    assert mended.recording is recording
