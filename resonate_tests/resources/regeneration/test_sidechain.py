from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.regeneration.sidechain import Sidechain
from resonate_resources.signal.pump_depth import LINEAR_REST
from resonate_resources.signal.pumping import Pumping, hear_pumping
from resonate_tests.benchmarks.music_truth.rendering import RATE, pumping

DEPTH_DB, RECOVERY_S = 8.0, 0.35
HEARD = Pumping(DEPTH_DB, RECOVERY_S * LINEAR_REST, "linear", 1.0)
STROKES_S = np.arange(0.5, 20.0, 0.5)


def noise(seed: int, seconds: float = 20.0) -> Samples:
    """Pads that are held: what pumps there is easily heard."""
    return (0.1 * np.random.default_rng(seed).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def recorded(samples: Samples, folder: Path) -> Recording:
    return write_samples(folder / "stem.wav", samples, RATE)


def in_blocks(sidechain: Sidechain, samples: Samples, frames: int) -> Samples:
    blocks = (samples[:, start : start + frames] for start in range(0, samples.shape[1], frames))
    return np.concatenate(list(sidechain.applied(blocks)), axis=1)


def gains(sidechain: Sidechain, frames: int) -> npt.NDArray[np.float32]:
    return in_blocks(sidechain, np.ones((1, frames), np.float32), 10_000)[0]


def truth(strokes_s: npt.NDArray[np.float64], frames: int) -> npt.NDArray[np.float64]:
    """As composed songs are pumped."""
    return pumping(strokes_s.tolist(), DEPTH_DB, RECOVERY_S, frames)


@given(st.lists(st.floats(0.02, 1.5), min_size=1, max_size=8), st.integers(1, 50_000))
@settings(max_examples=30, deadline=None)
def test_a_stem_goes_down_and_comes_back_as_composed_songs_do(apart_s: list[float], frames: int) -> None:
    strokes = np.round(np.cumsum(apart_s) * RATE) / RATE
    count = round((strokes[-1] + 1) * RATE)
    made = in_blocks(Sidechain(HEARD, strokes, RATE), np.ones((2, count), np.float32), frames)
    assert made.shape == (2, count)
    off_db = 20 * np.log10(made[0] / truth(strokes, count))
    # A sample's place in 3 ms of 8 dB is 0.06 dB.
    assert np.abs(off_db).max() < 0.15


def test_an_exponential_fall_is_1_e_of_itself_after_its_release() -> None:
    strokes = np.array([0.1])
    made = gains(Sidechain(Pumping(10.0, 0.2, "exponential", 1.0), strokes, RATE), RATE)
    assert 20 * np.log10(made[round(0.303 * RATE)]) == pytest.approx(-10 / np.e, abs=0.01)


def test_gains_go_from_frame_to_frame_in_steps_that_are_not_heard() -> None:
    made = gains(Sidechain(replace(HEARD, depth_db=15.0), np.array([0.2, 0.25, 0.9]), RATE), RATE)
    assert np.abs(np.diff(20 * np.log10(made))).max() < 0.2


def test_a_stem_that_does_not_pump_gets_the_depth_that_was_heard_in_the_original(tmp_path: Path) -> None:
    plain = noise(0)
    original = recorded(plain * truth(STROKES_S, plain.shape[1]).astype(np.float32), tmp_path)
    heard = hear_pumping(original, STROKES_S)
    played = noise(1)
    sidechain = Sidechain.lacking(heard, recorded(played, tmp_path), STROKES_S)
    assert sidechain is not None
    made = in_blocks(sidechain, played, 100_000)
    gain_db = 20 * np.log10(made / played)
    assert gain_db.min() == pytest.approx(-DEPTH_DB, abs=1.0)


def test_a_stem_whose_recordings_pump_already_is_left_as_it_is(tmp_path: Path) -> None:
    pumps = noise(1) * truth(STROKES_S, noise(1).shape[1]).astype(np.float32)
    assert Sidechain.lacking(HEARD, recorded(pumps, tmp_path), STROKES_S) is None


def test_what_pumps_by_half_gets_the_other_half(tmp_path: Path) -> None:
    half = noise(1) * truth(STROKES_S, noise(1).shape[1]).astype(np.float32) ** 0.5
    sidechain = Sidechain.lacking(HEARD, recorded(half, tmp_path), STROKES_S)
    assert sidechain is not None
    assert sidechain.fall.depth_db == pytest.approx(DEPTH_DB / 2, abs=1.0)


@pytest.mark.parametrize("unsure", [replace(HEARD, confidence=0.4), replace(HEARD, depth_db=0.5)])
def test_nothing_is_added_where_the_original_does_not_surely_pump(unsure: Pumping, tmp_path: Path) -> None:
    assert Sidechain.lacking(unsure, recorded(noise(0), tmp_path), STROKES_S) is None


def test_without_strokes_there_is_no_side_chain(tmp_path: Path) -> None:
    made = gains(Sidechain(HEARD, np.zeros(0), RATE), RATE)
    assert (made == 1).all()
