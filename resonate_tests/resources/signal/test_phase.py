"""Phase of channels and of versions, beside what theory says of known signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.signal.phase import Phase, low_correlation, phase_beside

RATE = 44_100


def beside(tmp_path: Path, now: Samples, before: Samples, rates: tuple[int, int] = (RATE, RATE)) -> Phase:
    return phase_beside(
        write_samples(tmp_path / "now.wav", now.astype(np.float32), rates[0]),
        write_samples(tmp_path / "before.wav", before.astype(np.float32), rates[1]),
    )


def noises(count: int, seconds: float = 20.0, seed: int = 1) -> Samples:
    return 0.1 * np.random.default_rng(seed).standard_normal((count, round(seconds * RATE)))


def tone(hertz: float, rate: int = RATE, degrees: float = 0.0, seconds: float = 10.0) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * hertz * time + np.radians(degrees))[None]


@pytest.mark.parametrize("correlation", [1.0, 0.5, 0.0, -0.8])
def test_correlation_and_fold_down_are_those_of_theory(correlation: float, tmp_path: Path) -> None:
    one, two = noises(2)
    right = correlation * one + np.sqrt(1 - correlation**2) * two
    found = beside(tmp_path, np.stack([one, right]), np.stack([one, one]))
    assert found.correlation == pytest.approx(correlation, abs=0.01)
    # The mean of two channels as loud as each other has (1 + r) / 2 of their power.
    assert found.fold_down_db == pytest.approx(10 * np.log10((1 + correlation) / 2), abs=0.1)
    assert found.track_correlation == pytest.approx(1)
    assert found.track_fold_down_db == pytest.approx(0, abs=1e-4)


def test_what_cancels_in_mono_is_lost_as_far_as_it_is_told(tmp_path: Path) -> None:
    one = noises(1)
    found = beside(tmp_path, np.concatenate([one, -one]), np.concatenate([one, 0 * one]))
    assert found.correlation == pytest.approx(-1)
    assert found.fold_down_db <= -100
    assert found.track_correlation == 0
    assert found.track_fold_down_db == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 180.0])
@pytest.mark.parametrize("rates", [(44_100, 44_100), (48_000, 96_000)])
def test_the_low_end_is_in_phase_as_far_as_its_tones_are(
    degrees: float, rates: tuple[int, int], tmp_path: Path
) -> None:
    now = tone(80, rates[0], degrees) + tone(2000, rates[0], 90)
    before = 0.25 * (tone(80, rates[1]) + tone(2000, rates[1]))  # level and highs are another matter
    found = beside(tmp_path, np.repeat(now, 2, 0), np.repeat(before, 2, 0), rates)
    assert found.low_end_correlation == pytest.approx(np.cos(np.radians(degrees)), abs=0.01)


def test_how_much_of_the_whole_the_low_end_is_is_told(tmp_path: Path) -> None:
    both = np.repeat(tone(100) + 10 * tone(2000), 2, 0)
    assert beside(tmp_path, both, both).low_end_db == pytest.approx(-20, abs=0.2)
    assert beside(tmp_path, both[:1], both).low_end_db == pytest.approx(-20, abs=0.2)


def test_a_fold_down_of_the_original_is_beside_it_in_one_channel(tmp_path: Path) -> None:
    low, six = tone(100), np.repeat(tone(100), 6, 0)
    found = beside(tmp_path, low, six)
    assert found.low_end_correlation == pytest.approx(1, abs=1e-3)
    assert found.correlation == pytest.approx(1)


def test_silence_loses_nothing(tmp_path: Path) -> None:
    silent = np.zeros((2, RATE))
    assert beside(tmp_path, silent, silent) == Phase(1.0, 1.0, 0.0, 0.0, 1.0, -120.0)
    assert beside(tmp_path, silent[:, :1], silent[:, :1]) == Phase(1.0, 1.0, 0.0, 0.0, 1.0, -120.0)


def test_lows_are_told_from_what_is_above_them(tmp_path: Path) -> None:
    wide = np.concatenate([tone(60) + tone(500), tone(60) - tone(500)]).astype(np.float32)
    like = write_samples(tmp_path / "wide.wav", wide, RATE)
    assert low_correlation(like.blocks(10_000), like, 120) == pytest.approx(1, abs=0.01)
    turned = np.concatenate([tone(60) + tone(500), tone(500) - tone(60)]).astype(np.float32)
    like = write_samples(tmp_path / "turned.wav", turned, RATE)
    assert low_correlation(like.blocks(10_000), like, 120) == pytest.approx(-1, abs=0.01)
