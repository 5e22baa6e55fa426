"""Notes that were recorded for less long than they are held: sines that fall as strings do, whose fall is known."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.instruments.sustaining import sustained
from resonate_resources.recordings.recording import Samples

RATE = 44_100
AMPLITUDE = 0.5


def string(hertz: float, seconds: float, falls_db_s: float, overtones: int = 3) -> Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(
        np.sin(2 * np.pi * hertz * number * at + number) / number for number in range(1, overtones + 1)
    )
    wave = AMPLITUDE / 2 * wave * 10 ** (-falls_db_s * at / 20)
    return np.stack([wave, wave]).astype(np.float32)


def level_db(sound: Samples, at_s: float, within_s: float = 0.1) -> float:
    part = sound[0, round(at_s * RATE) : round((at_s + within_s) * RATE)]
    return float(10 * np.log10(np.mean(np.square(part, dtype=np.float64))))


def frequency(sound: Samples, from_s: float) -> float:
    wave = sound[0, round(from_s * RATE) :]
    return float(np.argmax(np.abs(np.fft.rfft(wave * np.hanning(wave.size), 1 << 20))) * RATE / (1 << 20))


@pytest.mark.parametrize("hertz", [41.2, 110.0, 196.0, 659.3])
@pytest.mark.parametrize("falls_db_s", [0.0, 6.0, 11.0])
def test_it_goes_on_at_its_pitch_and_falls_as_it_fell(hertz: float, falls_db_s: float) -> None:
    held = sustained(string(hertz, 0.8, falls_db_s), RATE, 3 * RATE)
    truth = string(hertz, 3.0, falls_db_s)
    assert held.shape == truth.shape
    assert frequency(held, 0.8) == pytest.approx(hertz, rel=0.003)
    for at_s in (0.7, 0.9, 1.5, 2.8):
        assert level_db(held, at_s) == pytest.approx(level_db(truth, at_s), abs=1.0)


def test_there_is_no_step_where_it_goes_on() -> None:
    held, truth = sustained(string(196.0, 0.8, 6.0), RATE, 3 * RATE), string(196.0, 3.0, 6.0)
    after = round(0.5 * RATE)
    steps, usual = (float(np.abs(np.diff(sound[0, after:])).max()) for sound in (held, truth))
    assert steps < 1.1 * usual


def test_what_was_recorded_stays_as_it_was_but_for_the_seam() -> None:
    short = string(196.0, 0.8, 6.0)
    held = sustained(short, RATE, 3 * RATE)
    before = round(0.6 * RATE)
    assert np.array_equal(held[:, :before], short[:, :before])
    assert np.array_equal(sustained(short, RATE, before), short[:, :before])


def test_a_note_that_was_damped_goes_on_from_before_that() -> None:
    """Played for 0.4 s, damped within 0.1 s, and as silent as that for half a second."""
    played, damped = string(196.0, 0.4, 6.0), string(196.0, 0.1, 500.0)
    short = np.concatenate([played, damped * 0.7, np.zeros((2, RATE // 2), np.float32)], axis=1)
    held = sustained(short, RATE, 2 * RATE)
    for at_s in (0.6, 1.2, 1.8):
        assert level_db(held, at_s) == pytest.approx(level_db(string(196.0, 2.0, 6.0), at_s), abs=3.0)


def test_what_dies_away_faster_than_a_string_is_held_as_one() -> None:
    held = sustained(string(196.0, 0.5, 60.0), RATE, 2 * RATE)
    assert level_db(held, 0.8) - level_db(held, 1.8) == pytest.approx(12.0, abs=0.5)
    assert level_db(held, 1.8) > -60


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05])
def test_what_is_too_short_to_be_looped_ends_where_it_did(seconds: float) -> None:
    short = string(196.0, seconds, 6.0)
    assert np.array_equal(sustained(short, RATE, RATE), short)


def test_silence_stays_silence() -> None:
    assert not sustained(np.zeros((2, RATE // 2), np.float32), RATE, RATE).any()


def test_noise_goes_on_as_loud_as_it_was() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=(2, 2 * RATE)).astype(np.float32)
    held = sustained(noise, RATE, 4 * RATE)
    assert level_db(held, 2.5, 1.0) == pytest.approx(-20.0, abs=2.0)
