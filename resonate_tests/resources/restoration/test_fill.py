from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.fill import Fill
from resonate_resources.restoration.step import Facts, Mended
from resonate_resources.signal.spectral_holes import holes_of
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage.bandwidth import mp3, walled
from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.resources.restoration.test_extend import RATE, drums


def mended(sound: Samples, folder: Path) -> tuple[Recording, Mended]:
    recording = write_samples(folder / "given.wav", sound, RATE)
    facts = Facts("track", find_traces(recording))
    return recording, Fill().mend(recording, facts, "balanced", folder / "mended.wav", silent)


@cache
def busy() -> Samples:
    """Hits of a kit over notes with all overtones, which take what bits a coder has."""
    kit = drums(4.0)
    time = np.arange(kit.shape[1]) / RATE
    chords = np.zeros(len(time))
    for root in (110.0, 147.0, 165.0, 233.0):
        pulse = 2 * (root * time % 1) - 1  # a saw
        chords += pulse
    return (0.5 * kit + 0.05 * np.stack([chords, np.roll(chords, 400)])).astype(np.float32)


@cache
def coded_at(kbps: float, channels: int = 2) -> Samples:
    return mp3(busy()[:channels], RATE, np.random.default_rng(1), kbps)


@pytest.mark.parametrize("kbps", [64, 80])
def test_the_holes_of_mp3_are_filled_and_the_truth_is_nearer(kbps: float, tmp_path: Path) -> None:
    clean = busy()
    coded = coded_at(kbps)

    recording, result = mended(coded, tmp_path)
    sound = result.recording.read()

    assert log_spectral_distance(sound, clean, RATE) < 0.98 * log_spectral_distance(coded, clean, RATE)
    assert si_sdr_db(sound, clean) > si_sdr_db(coded, clean) - 0.5
    before, after = holes_of(recording), holes_of(result.recording)
    assert before is not None and after is not None
    assert after < 0.7 * before


def test_under_5_khz_nothing_is_touched(tmp_path: Path) -> None:
    coded = coded_at(64)

    _, result = mended(coded, tmp_path)

    added, kept = (
        np.abs(np.fft.rfft(sound * np.hanning(sound.shape[1]))) ** 2
        for sound in (result.recording.read() - coded, coded)
    )
    below = np.fft.rfftfreq(coded.shape[1], 1 / RATE) < 4800
    assert added[:, below].sum() < 1e-8 * kept[:, below].sum()


def test_what_no_coder_has_touched_is_given_back_as_it_is(tmp_path: Path) -> None:
    clean = drums()
    for sound in (
        clean,
        walled(clean, RATE, np.random.default_rng(1), 11_000.0),
        np.zeros((2, RATE), np.float32),
        clean[:, :1],
    ):
        recording, result = mended(sound, tmp_path)
        assert result.recording is recording


@pytest.mark.parametrize("channels", [1, 2])
def test_channels_and_length_are_kept(channels: int, tmp_path: Path) -> None:
    coded = coded_at(64, channels)[:, 77:]

    recording, result = mended(coded, tmp_path)

    assert result.recording is not recording
    assert (result.recording.channels, result.recording.frames) == (channels, 4 * RATE - 77)
