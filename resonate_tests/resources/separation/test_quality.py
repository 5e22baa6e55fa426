"""Measured quality by window, against closed forms and fast_bss_eval."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import fast_bss_eval  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import AudioError, Samples, write_samples
from resonate_resources.separation.quality import (
    Instrumental,
    StemQuality,
    WindowQuality,
    levels_in_windows,
    measure_quality,
    window_bounds,
)

RATE = 1000


def tone(seconds: float, phase: float = 0.0) -> Samples:
    """50 Hz, whole periods in every window."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * 50 * time + phase)[None].astype(np.float32)


@given(frames=st.integers(1, 400_000), rate=st.sampled_from([1000, 8000, 44_100, 192_000]))
def test_windows_of_about_ten_seconds_tile_a_track(frames, rate):
    bounds = list(window_bounds(frames, rate))
    assert bounds[0][0] == 0
    assert bounds[-1][1] == frames
    assert all(stop == start for (_, stop), (start, _) in pairwise(bounds))
    assert all(stop - start == 10 * rate for start, stop in bounds[:-1])
    assert bounds[-1][1] - bounds[-1][0] <= 15 * rate
    assert len(bounds) == 1 or bounds[-1][1] - bounds[-1][0] > 5 * rate


def test_each_window_scores_what_is_wrong_in_it(tmp_path: Path) -> None:
    levels_db = (20.0, 0.0, 10.0)
    gains = np.repeat([10 ** (-level / 20) for level in levels_db], 10 * RATE)
    truth = tone(30)
    estimate = (0.5 * (truth + gains * tone(30, np.pi / 2))).astype(np.float32)
    quality = measure_quality(
        {"bass": write_samples(tmp_path / "bass.wav", estimate, RATE)},
        {"bass": write_samples(tmp_path / "truth.wav", truth, RATE)},
    )["bass"]
    assert quality.kind == "measured"
    assert [(window.start_s, window.stop_s) for window in quality.windows] == [(0, 10), (10, 20), (20, 30)]
    assert [window.si_sdr_db for window in quality.windows] == pytest.approx(levels_db, abs=0.01)
    assert {quality.error_db, *(window.error_db for window in quality.windows)} == {0.0}
    mean_distortion = np.mean([10 ** (-level / 10) for level in levels_db])
    assert quality.si_sdr_db == pytest.approx(-10 * math.log10(mean_distortion), abs=0.01)


@settings(max_examples=15)
@given(seed=st.integers(0, 50))
def test_scores_are_those_of_fast_bss_eval(seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((1, 12_000)).astype(np.float32)
    estimate = (truth + rng.uniform(0.01, 3) * rng.standard_normal((1, 12_000))).astype(np.float32)
    quality = measure_quality(
        {"other": write_samples(folder / "other.wav", estimate, RATE)},
        {"other": write_samples(folder / "truth.wav", truth, RATE)},
    )["other"]
    expected = fast_bss_eval.si_sdr(truth.astype(np.float64), estimate.astype(np.float64), zero_mean=True)
    assert quality.si_sdr_db == pytest.approx(float(np.ravel(expected)[0]), abs=0.01)
    assert [window.si_sdr_db for window in quality.windows] == pytest.approx([quality.si_sdr_db], abs=1e-6)


def test_windows_without_sound_in_the_truth_are_left_out(tmp_path: Path) -> None:
    truth = tone(30)
    truth[:, 10 * RATE : 20 * RATE] = 0
    estimate = truth + np.float32(0.1) * tone(30, np.pi / 2)
    quality = measure_quality(
        {"vocals": write_samples(tmp_path / "vocals.wav", estimate, RATE)},
        {"vocals": write_samples(tmp_path / "truth.wav", truth, RATE)},
    )["vocals"]
    assert [window.start_s for window in quality.windows] == [0, 20]
    assert [window.si_sdr_db for window in quality.windows] == pytest.approx([20, 20], abs=0.01)
    # Over the whole, what sounds while the truth is silent counts: 1.5 times the distortion.
    assert quality.si_sdr_db == pytest.approx(20 - 10 * math.log10(1.5), abs=0.01)


def test_only_stems_whose_truth_is_known_are_measured_and_only_against_their_like(tmp_path: Path) -> None:
    stem = write_samples(tmp_path / "stem.wav", tone(2), RATE)
    assert list(measure_quality({"vocals": stem, "piano": stem}, {"vocals": stem})) == ["vocals"]
    shorter = write_samples(tmp_path / "shorter.wav", tone(1), RATE)
    with pytest.raises(AudioError, match=r"stem\.wav: rate, channels or length differ from shorter\.wav"):
        measure_quality({"vocals": stem}, {"vocals": shorter})


def test_levels_are_of_each_window_against_the_track(tmp_path: Path) -> None:
    gains = np.repeat([0.1, 1.0, 0.0, 10.0], 10 * RATE).astype(np.float32)
    track = write_samples(tmp_path / "track.wav", tone(40), RATE)
    stem = write_samples(tmp_path / "vocals.wav", gains * tone(40), RATE)
    windows = [WindowQuality(start, start + 10, 0.0, 5.0) for start in (0, 10, 20, 30)]
    assert levels_in_windows(stem, track, windows) == pytest.approx([-20, 0, -math.inf, 20], abs=0.001)
    assert levels_in_windows(stem, track, windows[3:]) == pytest.approx([20], abs=0.001)


@pytest.mark.parametrize(
    ("levels_db", "qualities_db", "taken"),
    [
        ((-18.0, -30.0), (-8.0, -10.0), True),
        ((-18.0, -11.9), (-8.0, -10.0), False),  # somebody may sing in the second window: it is not as faint
        ((-18.0, -30.0), (0.1, -10.0), False),  # or in the first: it is not as poor
        ((-12.0,), (-8.0,), False),
        ((-18.0,), (0.0,), False),
    ],
)
def test_a_track_is_an_instrumental_where_vocals_are_faint_and_poor_throughout(
    levels_db, qualities_db, taken
):
    windows = tuple(WindowQuality(10.0 * n, 10.0 * n + 10, db, 5.0) for n, db in enumerate(qualities_db))
    vocals = StemQuality("predicted", -8.0, 5.0, windows)
    assert Instrumental(-12.0, 0.0).holds(vocals, levels_db) is taken
    assert Instrumental().holds(vocals, levels_db) is False
