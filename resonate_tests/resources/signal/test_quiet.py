"""How quiet a recording gets, against noise of known levels."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.signal.quiet import MOST_DB, QuietMeter

RATE = 44_100


def snr_db(samples: np.ndarray, block: int = 10_000) -> float | None:
    meter = QuietMeter(RATE)
    for start in range(0, samples.shape[1], block):
        meter.update(samples[:, start : start + block].astype(np.float32))
    return meter.snr_db()


def tone_with_rests(noise_db: float) -> np.ndarray:
    """Half of the time a tone, which has 0 dB, all of the time noise."""
    times = np.arange(20 * RATE) / RATE
    tone = np.sqrt(2) * np.sin(2 * np.pi * 440 * times) * (times % 1 < 0.5)
    noise = np.random.default_rng(1).standard_normal(len(times)) * 10 ** (noise_db / 20)
    return np.stack([tone + noise] * 2)


@pytest.mark.parametrize("noise_db", [-20.0, -40.0, -60.0])
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_noise_in_rests_is_told_whatever_the_level(noise_db: float, level: float) -> None:
    mean_db = 10 * np.log10(0.5 + 10 ** (noise_db / 10))
    assert snr_db(level * tone_with_rests(noise_db)) == pytest.approx(mean_db - noise_db, abs=0.5)


def test_silence_around_a_recording_says_nothing_but_within_it_everything() -> None:
    played, silence = tone_with_rests(-40), np.zeros((2, 3 * RATE))
    assert snr_db(np.hstack([silence, played, silence])) == pytest.approx(snr_db(played), abs=0.2)
    assert snr_db(np.hstack([played, silence, played])) == MOST_DB


def test_silence_and_less_than_a_moment_have_none() -> None:
    assert snr_db(np.zeros((2, RATE))) is None
    assert snr_db(np.ones((1, 100))) is None


def test_blocks_may_be_of_any_size() -> None:
    samples = tone_with_rests(-30)[:, : 2 * RATE]
    assert snr_db(samples, 777) == snr_db(samples, 88_200)
