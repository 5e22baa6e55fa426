from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.signal.onsets import find_onsets, onset_strength


def levels(*bands: list[float]) -> np.ndarray:
    return np.array(bands, np.float32).T


def test_strength_is_the_mean_rise_of_the_bands_and_a_fall_counts_as_nothing() -> None:
    strength = onset_strength(levels([-40, -28, -28, -60], [-20, -50, -50, -10]), -60.0)
    np.testing.assert_allclose(strength[1:], [6, 0, 20])


def test_what_lies_under_the_floor_rises_from_the_floor() -> None:
    assert onset_strength(levels([-90, -30]), -50.0)[1] == pytest.approx(20)
    assert onset_strength(levels([-90, -70]), -50.0)[1] == 0


def test_before_the_first_frame_there_is_silence() -> None:
    assert onset_strength(levels([-10, -10]), -50.0)[0] == pytest.approx(40)


def test_a_floor_that_moves_is_no_rise() -> None:
    floor = np.array([[-70], [-40]], np.float32)
    assert onset_strength(levels([-80, -80], [-60, -55]), floor)[1] == 0


def test_a_tail_that_fluctuates_does_not_rise_over_the_loudest_of_three_frames() -> None:
    tail = levels([-10, -13, -10.5, -13.5, -11, -14])
    assert onset_strength(tail, -50.0)[2] == pytest.approx(2.5)
    np.testing.assert_array_equal(onset_strength(tail, -50.0, gap=2, loudest_of=3)[3:], [0, 0, 0])


def test_a_click_is_less_of_an_attack_than_a_level_that_stays() -> None:
    click, note = levels([-50, -50, -10, -50, -50, -50, -50]), levels([-50, -50, -10, -10, -10, -10, -10])
    assert onset_strength(click, -50.0, gap=2, mean_of=5).max() == pytest.approx(8)
    assert onset_strength(note, -50.0, gap=2, mean_of=5).max() == pytest.approx(40)


def test_the_first_and_the_last_frame_may_be_onsets() -> None:
    assert find_onsets(np.array([5, 1, 0, 1, 5], np.float32), 3.0, 2).tolist() == [0, 4]


def test_of_onsets_too_close_together_the_stronger_one_counts_and_weak_ones_do_not() -> None:
    strength = np.array([0, 4, 0, 6, 0, 0, 0, 0, 2, 0], np.float32)
    assert find_onsets(strength, 3.0, 4).tolist() == [3]
