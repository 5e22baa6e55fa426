"""The soft clipper against the overtones of its curve, and against clipping at the sample rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from resonate_resources.mastering.clipping import SoftClipper
from resonate_resources.recordings.recording import Samples, write_samples

RATE = 44_100
PEAK_DBTP = 20 * np.log10(0.9)


def clipped(samples: Samples, folder: Path, most_db: float = 2.0, peak_dbtp: float = PEAK_DBTP) -> Samples:
    source = write_samples(folder / "source.wav", samples.astype(np.float32), RATE)
    made = np.concatenate(list(SoftClipper(peak_dbtp, most_db).clipped(source)), axis=1)
    assert made.shape == samples.shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    return made


def tone(hertz: float, level: float = 0.9, seconds: int = 3) -> Samples:
    return level * np.sin(2 * np.pi * hertz * np.arange(seconds * RATE) / RATE)[None]


def curve(values: Samples, peak: float = 0.9, most_db: float = 2.0) -> Samples:
    """As it is described: 1 : 1 up to the knee, from there on a parabola that is level at the peak."""
    end = peak * 10 ** (-most_db / 20)
    knee = 2 * end - peak
    bend = np.maximum(np.abs(values) - knee, 0)
    return np.sign(values) * (np.abs(values) - bend**2 / (4 * (peak - end)))


def spectrum_db(samples: Samples) -> Samples:
    """A second out of the middle, a line a hertz, against the strongest."""
    lines = np.abs(np.fft.rfft(samples[0, RATE : 2 * RATE] * np.blackman(RATE)))
    return 20 * np.log10(lines / lines.max() + 1e-12)


def aliased_db(samples: Samples, hertz: int) -> float:
    """The strongest line under 20 kHz that is no overtone."""
    off = np.abs((np.arange(RATE // 2 + 1) + hertz // 2) % hertz - hertz // 2)
    heard = np.arange(RATE // 2 + 1) < 20_000
    return float(spectrum_db(samples)[(off > 5) & heard].max())


@pytest.mark.parametrize(
    ("hertz", "bound_db"), [(997, -120), (3001, -95), (5003, -80), (9001, -68), (14_009, -60)]
)
def test_what_aliases_is_far_under_the_tone_and_what_clips_at_the_sample_rate_is_not(
    hertz: int, bound_db: float, tmp_path: Path
) -> None:
    made = aliased_db(clipped(tone(hertz), tmp_path), hertz)
    naive = aliased_db(curve(tone(hertz)), hertz)
    assert made < bound_db
    assert made < naive - 35


def test_overtones_are_those_of_the_curve(tmp_path: Path) -> None:
    made, ideal = (
        spectrum_db(clipped(tone(500), tmp_path)),
        spectrum_db(resample_poly(curve(tone(500)), 1, 1)),
    )
    for overtone in (3, 5, 7):
        assert made[500 * overtone] == pytest.approx(ideal[500 * overtone], abs=0.2)
    assert -25 < made[1500] < -20


@pytest.mark.parametrize("most_db", [0.1, 1.0, 2.0])
def test_the_highest_peak_comes_out_so_much_lower(most_db: float, tmp_path: Path) -> None:
    made = clipped(tone(220), tmp_path, most_db)
    middle = made[:, RATE : 2 * RATE]
    assert 20 * np.log10(0.9 / np.abs(resample_poly(middle, 8, 1, axis=1)).max()) == pytest.approx(
        most_db, abs=0.05
    )


def test_under_the_knee_samples_pass_bit_for_bit(tmp_path: Path) -> None:
    knee = 0.9 * (2 * 10 ** (-2 / 20) - 1)
    quiet = tone(997, 0.99 * knee).astype(np.float32)
    np.testing.assert_array_equal(clipped(quiet, tmp_path), quiet)
    loud = quiet.copy()
    loud[0, RATE : RATE + 40] = tone(997)[0, :40]  # a wave and a half over the knee
    made = clipped(loud, tmp_path)
    changed = np.flatnonzero(made[0] != loud[0])
    assert changed.size
    assert changed.min() > RATE - 40
    assert changed.max() < RATE + 100
    np.testing.assert_array_equal(made[0, : RATE - 40], loud[0, : RATE - 40])


def test_a_peak_that_lies_between_samples_is_clipped_too(tmp_path: Path) -> None:
    wave = 0.9 * np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)[None]  # samples at 0.64, peaks at 0.9
    made = clipped(wave, tmp_path)
    assert np.abs(made[0, 1000:-1000]).max() < 0.9 * np.sqrt(0.5) - 0.02


def test_a_little_more_of_it_moves_a_little_more(tmp_path: Path) -> None:
    noise = 0.16 * np.random.default_rng(0).standard_normal((1, RATE))
    at = clipped(noise, tmp_path, 0.0001), clipped(noise, tmp_path, 1.0), clipped(noise, tmp_path, 1.0001)
    for one, other in ((noise, at[0]), at[1:]):
        assert 10 * np.log10(np.mean((one - other) ** 2) / np.mean(one**2)) < -80


def test_a_loop_stays_a_loop(tmp_path: Path) -> None:
    loop = tone(225, seconds=1)
    three = clipped(np.tile(loop, 3), tmp_path)
    np.testing.assert_allclose(clipped(loop, tmp_path), three[:, RATE : 2 * RATE], atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("frames", [1, 63, 64, 300])
def test_any_length_and_channels_and_what_is_silent_stays_so(
    channels: int, frames: int, tmp_path: Path
) -> None:
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (channels, frames))
    samples[0] = 0
    assert not clipped(samples, tmp_path)[0].any()


def test_a_block_more_or_less_is_the_same(tmp_path: Path) -> None:
    noise = (0.25 * np.random.default_rng(3).standard_normal((2, 700_000))).astype(np.float32)  # three blocks
    whole = clipped(noise, tmp_path)
    part = clipped(noise[:, 200_000:400_000], tmp_path)  # around where the first ends
    np.testing.assert_allclose(whole[:, 201_000:399_000], part[:, 1000:-1000], atol=1e-6)
