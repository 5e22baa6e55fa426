"""Spectra of signals whose levels are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.analysis.third_octaves import THIRDS_HZ, third_octaves
from resonate_resources.recordings.recording import Recording, write_samples


def written(folder: Path, samples: np.ndarray, rate: int) -> Recording:
    return write_samples(folder / "sound.wav", np.atleast_2d(samples).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_a_tone_has_its_own_level_in_its_own_third(rate: int, tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(10 * rate) / rate)
    whole = third_octaves(written(tmp_path, np.stack([tone, tone]), rate), np.array([0.0, 10.0]))[0]
    at = THIRDS_HZ.index(1000.0)
    assert whole[at] == pytest.approx(10 * np.log10(0.5**2 / 2), abs=0.2)
    assert np.delete(whole, at).max() < whole[at] - 30


def test_white_noise_rises_by_3_db_an_octave(tmp_path: Path) -> None:
    rate = 48000
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 30 * rate))
    whole = third_octaves(written(tmp_path, noise, rate), np.array([0.0, 30.0]))[0]
    widths = np.array(THIRDS_HZ) * (2 ** (1 / 6) - 2 ** (-1 / 6))
    np.testing.assert_allclose(whole, 10 * np.log10(0.01 * widths / (rate / 2)), atol=1.0)


def test_sections_have_spectra_of_their_own(tmp_path: Path) -> None:
    rate = 44100
    time = np.arange(5 * rate) / rate
    parts = [0.5 * np.sin(2 * np.pi * hertz * time) for hertz in (250, 4000)]
    _, low, high = third_octaves(written(tmp_path, np.concatenate(parts), rate), np.array([0.0, 5.0, 10.0]))
    assert THIRDS_HZ[int(low.argmax())] == 250
    assert THIRDS_HZ[int(high.argmax())] == 4000


def test_silence_is_minus_140_db(tmp_path: Path) -> None:
    assert (third_octaves(written(tmp_path, np.zeros(44100), 44100), np.array([0.0, 1.0])) == -140).all()
