from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.lengths import of_length

RATE = 44_100


def tone(hertz: float, seconds: float, fall_db_s: float = 0.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    partials = sum(np.sin(2 * np.pi * number * hertz * time) / number for number in range(1, 6))
    return np.stack([0.2 * partials * 10 ** (-fall_db_s * time / 20)] * 2).astype(np.float32)


def levels_db(sound: Samples, window_s: float = 0.02) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    size = round(window_s * RATE)
    pieces = sound[0, : sound.shape[1] // size * size].reshape(-1, size).astype(np.float64)
    return np.asarray(10 * np.log10(np.square(pieces).mean(axis=1)))


@pytest.mark.parametrize("hertz", [61.7, 97.3, 173.1, 311.9])
def test_a_tone_made_longer_is_the_tone_that_would_have_gone_on(hertz: float) -> None:
    """Whole periods are repeated: no seam is heard as a beat or a gap."""
    short = tone(hertz, 0.5)
    made = of_length(short, short.shape[1], 2 * RATE, RATE)[:, : 2 * RATE]
    steady = levels_db(tone(hertz, 2.0))
    assert levels_db(made) == pytest.approx(steady, abs=1.0)


@pytest.mark.parametrize("fall_db_s", [4.0, 8.0])
def test_a_tone_that_falls_goes_on_falling(fall_db_s: float) -> None:
    short = tone(220.0, 0.6, fall_db_s)
    made = of_length(short, short.shape[1], 2 * RATE, RATE)[:, : 2 * RATE]
    assert levels_db(made) == pytest.approx(levels_db(tone(220.0, 2.0, fall_db_s)), abs=1.5)


def test_a_tone_that_falls_fast_is_still_heard_while_it_is_held() -> None:
    short = tone(220.0, 0.4, 60.0)
    made = levels_db(of_length(short, short.shape[1], 2 * RATE, RATE)[:, : 2 * RATE])
    assert made[-1] > levels_db(short)[-1] - 12 * 1.6 - 6


def test_what_rings_on_behind_the_end_follows_the_new_end() -> None:
    sound = np.concatenate([tone(220.0, 0.4), 0.1 * tone(3000.0, 0.4)], axis=1)
    made = of_length(sound, round(0.4 * RATE), RATE, RATE)
    np.testing.assert_array_equal(made[:, round(1.05 * RATE) :], sound[:, round(0.45 * RATE) :])
