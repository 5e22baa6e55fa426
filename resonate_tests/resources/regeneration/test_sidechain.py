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
STROKES_S = np.arange(0.5, 10.0, 0.5)


def noise(seed: int, seconds: float = 10.0) -> Samples:
    """Pads that are held: what pumps there is easily heard."""
    return (0.1 * np.random.default_rng(seed).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def pumped(samples: Samples, part: float = 1.0) -> Samples:
    return samples * truth(STROKES_S, samples.shape[1]).astype(np.float32) ** part


def recorded(samples: Samples, path: Path) -> Recording:
    return write_samples(path, samples, RATE)


def lacking(heard: Pumping, original: Recording, played: Samples, folder: Path) -> Sidechain | None:
    return Sidechain.lacking(heard, original, recorded(played, folder / "played.wav"), STROKES_S)


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
    original = recorded(pumped(noise(0)), tmp_path / "original.wav")
    played = noise(1)
    sidechain = lacking(hear_pumping(original, STROKES_S), original, played, tmp_path)
    assert sidechain is not None
    gain_db = 20 * np.log10(in_blocks(sidechain, played, 100_000) / played)
    assert gain_db.min() == pytest.approx(-DEPTH_DB, abs=1.0)


def test_a_stem_whose_recordings_pump_already_is_left_as_it_is(tmp_path: Path) -> None:
    original = recorded(pumped(noise(0)), tmp_path / "original.wav")
    assert lacking(HEARD, original, pumped(noise(1)), tmp_path) is None


def test_what_pumps_by_half_gets_the_other_half(tmp_path: Path) -> None:
    original = recorded(pumped(noise(0)), tmp_path / "original.wav")
    sidechain = lacking(HEARD, original, pumped(noise(1), 0.5), tmp_path)
    assert sidechain is not None
    assert sidechain.fall.depth_db == pytest.approx(DEPTH_DB / 2, abs=1.0)


def test_notes_that_begin_and_end_at_strokes_are_no_fall_that_lacks(tmp_path: Path) -> None:
    """As both play them: hear_pumping alone does not know that they are notes."""
    seconds = np.arange(noise(0).shape[1]) / RATE
    swelling = np.where(seconds % 0.5 < 0.4, seconds % 0.5, 0.002).astype(np.float32)
    original = recorded(noise(0) * swelling, tmp_path / "original.wav")
    assert lacking(HEARD, original, noise(1) * swelling, tmp_path) is None


@pytest.mark.parametrize("strokes_s", [np.zeros(0), np.array([30.0])])
def test_a_stem_without_strokes_is_left_as_it_is(strokes_s: npt.NDArray[np.float64], tmp_path: Path) -> None:
    original = recorded(pumped(noise(0)), tmp_path / "original.wav")
    played = recorded(noise(1), tmp_path / "played.wav")
    assert Sidechain.lacking(HEARD, original, played, strokes_s) is None
    assert (gains(Sidechain(HEARD, strokes_s, RATE), RATE) == 1).all()


@pytest.mark.parametrize("seconds", [0.0, 0.02, 10.0])
def test_a_silent_or_very_short_stem_is_left_as_it_is(seconds: float, tmp_path: Path) -> None:
    silence = np.zeros((2, round(seconds * RATE)), np.float32)
    original = recorded(silence, tmp_path / "original.wav")
    assert lacking(HEARD, original, silence, tmp_path) is None
