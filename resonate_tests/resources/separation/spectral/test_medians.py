import numpy as np
import pytest
from scipy.ndimage import median_filter

from resonate_resources.separation.spectral.medians import running_median


@pytest.mark.parametrize("axis", [0, 1])
def test_one_level_is_the_median_of_three_as_scipy_computes_it(axis):
    values = np.random.default_rng(1).standard_normal((40, 31)).astype(np.float32)
    expected = median_filter(values, size=(3, 1) if axis == 0 else (1, 3), mode="nearest")
    np.testing.assert_array_equal(running_median(values, axis, 1), expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_click_is_removed_and_an_edge_kept(axis):
    line = np.zeros(200, np.float32)
    line[100:] = 1
    clicked = line.copy()
    clicked[[30, 31, 150]] = 5
    values = np.tile(clicked, (4, 1))
    filtered = running_median(values if axis == 1 else values.T, axis, 3)
    np.testing.assert_array_equal(filtered if axis == 1 else filtered.T, np.tile(line, (4, 1)))


def test_on_noise_it_tracks_the_true_median():
    # Of exponential noise, whose median ln 2 is far from its mean 1; 81 values estimate it to about ± 0.11.
    values = np.random.default_rng(2).exponential(1, (2000, 50)).astype(np.float32)
    assert running_median(values, 0, 4).mean() == pytest.approx(np.log(2), abs=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 400), (3, 3)])
def test_planes_shorter_than_the_window_keep_their_shape(shape):
    values = np.ones(shape, np.float32)
    np.testing.assert_array_equal(running_median(values, 0, 4), values)
    np.testing.assert_array_equal(running_median(values, 1, 4), values)
