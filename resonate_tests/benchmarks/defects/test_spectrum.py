from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.damage.distance import THIRDS_HZ, si_sdr_db, third_octaves_db
from resonate_tests.benchmarks.defects import spectrum
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, tone

NOISE = noise(8)


def gains_db(made: Samples) -> dict[int, float]:
    """By third of an octave about a frequency, what was white before."""
    change = third_octaves_db(made, RATE) - third_octaves_db(NOISE, RATE)
    return dict(zip((round(hertz) for hertz in THIRDS_HZ), change.tolist(), strict=True))


def test_a_low_pass_leaves_nothing_above_and_all_below() -> None:
    made = spectrum.low_passed(excerpt(NOISE), 5000)
    assert made is not None
    hertz, power = signal.welch(made, RATE, nperseg=4096)

    assert power[:, hertz > 5300].max() < 1e-6 * power[:, hertz < 4000].mean()
    assert gains_db(made)[2000] == pytest.approx(0, abs=0.1)


def test_a_low_pass_above_all_that_sounds_is_no_defect() -> None:
    assert spectrum.low_passed(excerpt(tone(2, 440)), 8000) is None


def test_a_high_pass_halves_amplitude_at_its_frequency_and_falls_by_24_db_an_octave() -> None:
    made = spectrum.high_passed(excerpt(sum(tone(8, hertz) for hertz in (50, 100, 200, 1600))), 200)
    assert made is not None
    second = slice(4 * RATE, 5 * RATE)
    for hertz in (50, 100, 200, 1600):
        line = (
            np.abs(np.fft.rfft(made[0, second]))[hertz]
            / np.abs(np.fft.rfft(tone(8, hertz)[0, second]))[hertz]
        )
        # Butterworth of order 2 run forth and back: |H|² = 1/(1 + (fc/f)⁴), here as amplitude.
        assert 20 * np.log10(line) == pytest.approx(-20 * np.log10(1 + (200 / hertz) ** 4), abs=0.1)


@pytest.mark.parametrize("upwards", [True, False])
def test_a_tilt_is_a_straight_line_over_octaves(upwards: bool) -> None:
    gains = gains_db(spectrum.tilted(excerpt(NOISE), 8, upwards))
    sign = 1 if upwards else -1

    # 63 Hz to 16 kHz are 8 octaves: 1 dB each.
    assert gains[8000] - gains[4000] == pytest.approx(sign, abs=0.3)
    assert gains[8000] - gains[250] == pytest.approx(5 * sign, abs=0.3)


@pytest.mark.parametrize("gain_db", [5.0, -20.0])
def test_one_octave_alone_is_louder_or_softer(gain_db: float) -> None:
    gains = gains_db(spectrum.with_an_octave_off(excerpt(NOISE), gain_db))

    assert gains[500] == pytest.approx(gain_db, abs=0.5)
    assert gains[125] == pytest.approx(0, abs=0.1)
    assert gains[2000] == pytest.approx(0, abs=0.1)


def test_a_resonance_has_its_gain_at_its_middle() -> None:
    made = spectrum.resonating(excerpt(tone(4, 1200)), 10)

    assert level_db(made[:, RATE:]) - level_db(tone(4, 1200)) == pytest.approx(10, abs=0.1)


def test_a_comb_has_its_notches_half_a_period_of_the_delay_apart() -> None:
    """1 ms: dips of 1 − g at 500 Hz, peaks of 1 + g at 1 kHz."""
    gain = 10 ** (-8 / 20)
    for hertz, expected in ((500, 1 - gain), (1000, 1 + gain)):
        made = spectrum.combed(excerpt(tone(4, hertz)), -8)
        found = level_db(made[:, RATE:]) - level_db(tone(4, hertz))
        # 44 samples are 0.998 ms: a hundredth off the notch.
        assert found == pytest.approx(20 * np.log10(expected), abs=0.05)


def test_mp3_is_in_time_and_worse_at_lower_rates() -> None:
    music = excerpt(np.asarray(np.cumsum(NOISE, axis=1) * 0.01 + 0.1 * NOISE, np.float32))
    nearness = [si_sdr_db(spectrum.as_mp3(music, kbps), music.mix) for kbps in (128, 64, 32)]

    assert nearness == sorted(nearness, reverse=True)
    assert nearness[0] > 10  # out of time it would be under 0


def test_musical_noise_keeps_tones_and_takes_noise() -> None:
    sound = excerpt(tone(4, 1000) + 0.01 * noise(4))
    made = spectrum.in_few_lines(sound, 0.04)

    assert level_db(made) == pytest.approx(level_db(sound.mix), abs=0.1)
    hertz, before = signal.welch(sound.mix, RATE, nperseg=1024)
    after = signal.welch(made, RATE, nperseg=1024)[1]
    assert after[:, hertz > 3000].mean() < 0.3 * before[:, hertz > 3000].mean()
