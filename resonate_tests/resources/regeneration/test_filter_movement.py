from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.filter_movement import FilterMovement
from resonate_tests.benchmarks.bench_space import swept

RATE = 44_100
FROM_S, TO_S = 3.0, 7.0
SWEEP_S = (FROM_S, TO_S)


def noise(seed: int) -> Samples:
    return (0.1 * np.random.default_rng(seed).standard_normal((2, 10 * RATE))).astype(np.float32)


def opened(samples: Samples) -> Samples:
    return swept(samples, RATE, FROM_S, TO_S, (1000.0, 8000.0), "lowpass")


def movement(
    original: Samples, played: Samples, folder: Path, *sweeps_s: tuple[float, float]
) -> FilterMovement:
    moving = FilterMovement.following(
        sweeps_s,
        write_samples(folder / "original.wav", original, RATE),
        write_samples(folder / "played.wav", played, RATE),
    )
    assert moving is not None
    return moving


def applied(moving: FilterMovement, samples: Samples, frames: int = 100_000) -> Samples:
    blocks = (samples[:, start : start + frames] for start in range(0, samples.shape[1], frames))
    return np.concatenate(list(moving.applied(blocks)), axis=1)


def bands_db(samples: Samples, from_s: float, to_s: float) -> npt.NDArray[np.float64]:
    """Levels of octaves from 125 Hz to 8 kHz, by scipy's periodograms."""
    lines, power = welch(samples[0, round(from_s * RATE) : round(to_s * RATE)], RATE, nperseg=4096)
    edges = 125 * 2.0 ** np.arange(-0.5, 7)
    octaves = [power[(low <= lines) & (lines < high)].sum() for low, high in pairwise(edges)]
    return 10 * np.log10(octaves)


@pytest.mark.parametrize("at_s", [3.4, 4.6, 5.8])
def test_what_is_played_through_no_filter_gets_that_of_the_original_within_its_bounds(
    at_s: float, tmp_path: Path
) -> None:
    original, played = opened(noise(0)), noise(1)
    made = applied(movement(original, played, tmp_path, SWEEP_S), played)
    wanted = bands_db(original, at_s, at_s + 0.5) - bands_db(played, at_s, at_s + 0.5)
    found = bands_db(made, at_s, at_s + 0.5) - bands_db(played, at_s, at_s + 0.5)
    within = wanted > -10  # the equaliser's 12 dB, and an edge that it rounds
    assert np.abs(found - wanted)[within].max() < 2.5
    assert (found[~within] < -9).all()
    assert (found > -13).all()


def test_outside_of_a_sweep_not_a_bit_changes(tmp_path: Path) -> None:
    original, played = opened(noise(0)), noise(1)
    made = applied(movement(original, played, tmp_path, SWEEP_S), played)
    start, end = round(FROM_S * RATE), round(TO_S * RATE)
    assert np.array_equal(made[:, : start + 1], played[:, : start + 1])
    assert np.array_equal(made[:, end:], played[:, end:])


def test_what_moves_already_is_left_about_as_it_is(tmp_path: Path) -> None:
    played = opened(noise(1))
    made = applied(movement(opened(noise(0)), played, tmp_path, SWEEP_S), played)
    moving = slice(round(FROM_S * RATE), round(TO_S * RATE))
    left = np.square(made - played)[:, moving].mean() / np.square(played[:, moving]).mean()
    assert 10 * np.log10(left) < -15


@given(frames=st.integers(500, 60_000))
@settings(max_examples=10, deadline=None)
def test_blocks_of_any_size_give_the_same(frames: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    original, played = opened(noise(0)), noise(1)[:, : 4 * RATE]
    moving = movement(original[:, : 4 * RATE], played, tmp_path_factory.mktemp("sweep"), SWEEP_S)
    assert np.abs(applied(moving, played, frames) - applied(moving, played)).max() < 1e-5


def test_a_tone_goes_through_a_sweep_without_clicks(tmp_path: Path) -> None:
    """A click is a step: energy far from the tone."""
    tone = np.tile(0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE), (2, 1)).astype(np.float32)
    made = applied(movement(opened(noise(0)), noise(1), tmp_path, SWEEP_S), tone)
    lines, power = welch(made[0], RATE, nperseg=2048, window="blackmanharris")
    assert 10 * np.log10(power[lines > 2000].sum() / power.sum()) < -80


@pytest.mark.parametrize("silent", ["original", "played"])
def test_where_one_of_the_two_rests_nothing_is_brought_up(silent: str, tmp_path: Path) -> None:
    sounds = {"original": noise(0), "played": noise(1)} | {silent: np.zeros_like(noise(0))}
    made = applied(movement(sounds["original"], sounds["played"], tmp_path, SWEEP_S), sounds["played"])
    assert np.abs(made - sounds["played"]).max() < 1e-4


def test_sweeps_that_reach_behind_the_end_or_overlap_are_cut(tmp_path: Path) -> None:
    moving = movement(opened(noise(0)), noise(1), tmp_path, (5.0, 14.0), SWEEP_S, (11.0, 14.0))
    weights = sum(stretch.weights(0, 10 * RATE) for stretch in moving.stretches)
    assert max(stretch.end for stretch in moving.stretches) == 10 * RATE
    assert np.max(weights) <= 1 + 1e-6
    assert applied(moving, noise(1)).shape == (2, 10 * RATE)


@pytest.mark.parametrize("sweeps_s", [(), ((3.0, 3.05),), ((12.0, 14.0),)])
def test_where_no_filter_moves_there_is_nothing_to_follow(
    sweeps_s: tuple[tuple[float, float], ...], tmp_path: Path
) -> None:
    recording = write_samples(tmp_path / "stem.wav", noise(0), RATE)
    assert FilterMovement.following(sweeps_s, recording, recording) is None
