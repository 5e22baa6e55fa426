from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from resonate_tests.benchmarks.defects import noise
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, tone
from resonate_tests.benchmarks.defects.tones import noise as white


@pytest.mark.parametrize("defect", [noise.hissing, noise.taped, noise.humming])
def test_noise_has_its_level_against_the_music(defect: object) -> None:
    assert callable(defect)
    song = excerpt(tone(8, 440))
    for level in (-40.0, -20.0):
        assert level_db(defect(song, level) - song.mix) - level_db(song.mix) == pytest.approx(level, abs=0.1)


def test_hum_is_at_multiples_of_50_hz() -> None:
    song = excerpt(white(8))
    hertz, power = signal.welch((noise.humming(song, -10) - song.mix)[0], RATE, nperseg=RATE)
    near = np.abs(hertz / 50 - np.round(hertz / 50)) * 50 <= 2

    assert power[near & (hertz < 1250)].sum() > 0.95 * power.sum()


@pytest.mark.parametrize("defect", [noise.crackling, noise.clicking])
def test_clicks_come_so_often(defect: object) -> None:
    assert callable(defect)
    song = excerpt(tone(60, 100))
    made = np.abs(defect(song, 5) - song.mix).max(axis=0) > 1e-6
    starts = np.diff(np.flatnonzero(made), prepend=-RATE) > 0.003 * RATE

    # 300 at chance: a standard deviation of 17; some fall together.
    assert 230 < starts.sum() < 340


def test_modulated_noise_has_its_distance_and_is_silent_where_the_sound_is() -> None:
    song = excerpt(np.asarray(tone(4, 440) * (np.arange(4 * RATE) < 2 * RATE), np.float32))
    added = noise.modulated(song, 25)
    assert added is not None
    added = added - song.mix

    assert level_db(added) - level_db(song.mix) == pytest.approx(-25, abs=0.1)
    assert not added[:, 2 * RATE :].any()


def test_the_floor_between_notes_is_raised_by_its_decibels() -> None:
    gain = np.where(np.arange(20 * RATE) % RATE < 0.7 * RATE, 1.0, 0.003)  # rests 50 dB under the music
    song = excerpt(np.asarray(white(20) * gain, np.float32))
    made = noise.with_raised_floor(song, 18)
    assert made is not None
    rest = slice(round(2.75 * RATE), round(2.95 * RATE))

    assert level_db(made[:, rest]) - level_db(song.mix[:, rest]) == pytest.approx(18, abs=1)


def test_music_without_rests_and_digital_silence_have_no_floor() -> None:
    assert noise.with_raised_floor(excerpt(white(4)), 18) is None
    gated = np.asarray(white(8) * (np.arange(8 * RATE) % RATE < RATE / 2), np.float32)
    assert noise.with_raised_floor(excerpt(gated), 18) is None


@pytest.mark.parametrize("bits", [6, 8])
def test_few_bits_are_few_steps(bits: int) -> None:
    song = excerpt(white(4))
    made = noise.coarse(song, bits)
    step = 2 * np.abs(song.mix).max() / 2**bits

    assert 2 ** (bits - 1) < len(np.unique(made)) <= 2**bits + 1
    # Rounding errors of a dense signal are even over a step: its length squared over 12.
    assert level_db(made - song.mix) == pytest.approx(10 * np.log10(step**2 / 12), abs=0.2)


def test_held_samples_make_images() -> None:
    """Of 1 kHz held for 4 samples: images about multiples of 11025 Hz (a zero-order hold's)."""
    made = noise.decimated(excerpt(tone(2, 1000)), 4)
    hertz, power = signal.welch(made[0], RATE, nperseg=RATE)

    loudest = hertz[np.argsort(power)[::-1]]
    assert any(abs(line - 10_025) < 2 for line in loudest[:10])
    assert (made[:, ::4] == made[:, 3::4]).all()


def test_shimmer_lies_between_6_and_10_khz() -> None:
    song = excerpt(white(4))
    hertz, power = signal.welch((noise.shimmering(song, 0) - song.mix)[0], RATE, nperseg=4096)

    assert power[(hertz > 5900) & (hertz < 10_100)].sum() > 0.98 * power.sum()
