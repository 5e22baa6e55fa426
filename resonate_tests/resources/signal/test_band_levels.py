from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.band_levels import band_levels, bands_between, mel_bands, ratio_bands

RATE = 22050


def sine(hertz: float, path: Path, amplitude: float = 1.0) -> Recording:
    wave = amplitude * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)
    return write_samples(path / f"{hertz:g} {amplitude:g}.wav", wave[np.newaxis].astype(np.float32), RATE)


@pytest.mark.parametrize(("count", "lowest_hz", "highest_hz"), [(40, 30.0, 10_000.0), (64, 0.0, 11_025.0)])
def test_mel_bands_are_librosas(count: int, lowest_hz: float, highest_hz: float) -> None:
    peer = librosa.filters.mel(
        sr=RATE, n_fft=2048, n_mels=count, fmin=lowest_hz, fmax=highest_hz, htk=True, norm=None
    )
    np.testing.assert_allclose(mel_bands(count, lowest_hz, highest_hz, RATE, 2048), peer.T, atol=1e-5)


def test_bands_of_equal_ratio_share_out_every_line_between_their_ends_once() -> None:
    bands = ratio_bands(6, 30.0, 3000.0, RATE, 1024)
    hertz = np.arange(513) * RATE / 1024
    inside = (hertz >= 43) & (hertz < 2900)
    np.testing.assert_array_equal(bands[inside].sum(axis=1), 1)
    assert (bands.sum(axis=0) >= 1).all()


@pytest.mark.parametrize("hertz", [60.0, 440.0, 2000.0])
def test_a_tone_is_loudest_in_the_band_that_it_lies_in(hertz: float, tmp_path: Path) -> None:
    bounds = [(30.0, 110.0), (300.0, 700.0), (1000.0, 5000.0)]
    levels = band_levels(sine(hertz, tmp_path), bands_between(bounds, RATE, 1024), RATE, 256)
    middle = levels[len(levels) // 2]
    assert [low <= hertz <= high for low, high in bounds].index(True) == middle.argmax()
    # A Hann window spreads a line over its neighbours, which adds 10·log10(1.5) dB where a band holds them all.
    assert middle.max() == pytest.approx(0, abs=1.8)


def test_half_the_amplitude_is_six_decibels_less(tmp_path: Path) -> None:
    bands = mel_bands(40, 30.0, 10_000.0, RATE, 1024)
    loud, soft = (band_levels(sine(1000, tmp_path, gain), bands, RATE, 512)[20] for gain in (1.0, 0.5))
    assert loud.max() - soft.max() == pytest.approx(6.02, abs=0.01)


def test_frames_that_are_skipped_are_as_if_they_had_not_been_there(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    bands = mel_bands(40, 30.0, 10_000.0, RATE, 1024)
    whole = write_samples(tmp_path / "whole.wav", noise, RATE)
    cut = write_samples(tmp_path / "cut.wav", noise[:, 1000:], RATE)
    later = write_samples(tmp_path / "later.wav", np.pad(noise, ((0, 0), (1000, 0))), RATE)
    for recording, skip in ((cut, 1000), (later, -1000)):
        np.testing.assert_allclose(  # but for the order in which blocks are summed
            band_levels(whole, bands, RATE, 512, skip=skip),
            band_levels(recording, bands, RATE, 512),
            atol=1e-4,
        )
