from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.profiling.width import BANDS_HZ, StereoWidth, measure_width
from resonate_resources.recordings.recording import write_samples

RATE = 44100


def width_of(left: np.ndarray, right: np.ndarray, path: Path) -> StereoWidth:
    return measure_width(write_samples(path / "stereo.wav", np.stack([left, right]).astype(np.float32), RATE))


@pytest.fixture
def noise() -> np.ndarray:
    return 0.1 * np.random.default_rng(4).standard_normal((2, 10 * RATE))


@pytest.mark.parametrize("side_db", [-20.0, -6.0, 0.0, 6.0])
def test_width_is_the_sides_level_over_the_mids(side_db: float, noise: np.ndarray, tmp_path: Path) -> None:
    mid, side = noise[0], noise[1] * 10 ** (side_db / 20)
    width = width_of(mid + side, mid - side, tmp_path)
    assert width.width_db == pytest.approx(side_db, abs=0.1)
    assert all(band == pytest.approx(side_db, abs=0.5) for band in width.bands_db.values())


def test_only_the_band_that_is_wide_measures_wide(noise: np.ndarray, tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    side = 0.05 * np.sin(2 * np.pi * 3000 * time)  # in the presence band, 2 to 6 kHz
    bands = width_of(noise[0] + side, noise[0] - side, tmp_path).bands_db
    assert max(bands, key=lambda name: bands[name] or -999.0) == "presence"
    assert all(bands[name] is None or bands[name] < -40 for name in BANDS_HZ if name != "presence")


def test_correlation_is_one_for_equal_zero_for_independent_and_minus_one_for_opposite_channels(
    noise: np.ndarray, tmp_path: Path
) -> None:
    assert width_of(noise[0], noise[0], tmp_path).correlation == pytest.approx(1)
    assert width_of(noise[0], noise[1], tmp_path).correlation == pytest.approx(0, abs=0.01)
    assert width_of(noise[0], -noise[0], tmp_path).correlation == pytest.approx(-1)


def test_mono_and_silence_have_no_width(tmp_path: Path) -> None:
    mono = write_samples(tmp_path / "mono.wav", np.ones((1, 100), np.float32), RATE)
    silence = write_samples(tmp_path / "silence.wav", np.zeros((2, 100), np.float32), RATE)
    for recording in (mono, silence):
        width = measure_width(recording)
        assert width.width_db is None
        assert width.correlation is None
        assert set(width.bands_db.values()) == {None}


def test_two_equal_channels_have_no_side(noise: np.ndarray, tmp_path: Path) -> None:
    assert width_of(noise[0], noise[0], tmp_path).width_db is None
