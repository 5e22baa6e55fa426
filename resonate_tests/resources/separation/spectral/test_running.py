import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter

from resonate_resources.separation.spectral import running
from resonate_resources.separation.spectral.running import running_maximum, running_median, smooth

odd = st.integers(0, 45).map(lambda half: 2 * half + 1)
shapes = st.tuples(st.integers(1, 60), st.integers(1, 60))


def _plane(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(sum(shape)).exponential(1, shape).astype(np.float32)


@given(shape=shapes, axis=st.sampled_from([0, 1]), count=odd)
def test_the_running_maximum_is_scipys(shape, axis, count):
    values = _plane(shape)
    expected = maximum_filter1d(values, count, axis=axis, mode="nearest")
    np.testing.assert_array_equal(running_maximum(values, axis, count), expected)


@given(shape=shapes, times=odd, bins=odd)
def test_the_mean_is_that_of_scipy_in_double_precision(shape, times, bins):
    values = _plane(shape)
    expected = uniform_filter(values.astype(float), (times, bins), mode="nearest")
    np.testing.assert_allclose(smooth(values, times, bins), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_slabs_do_not_show(axis, monkeypatch):
    values = _plane((70, 50))
    whole = running_median(values, axis, 3)
    monkeypatch.setattr(running, "_SLAB_VALUES", 200)
    np.testing.assert_array_equal(running_median(values, axis, 3), whole)


def test_the_mean_after_a_loud_passage_is_not_negative():
    values = np.full((1, 500), 1e-7, np.float32)
    values[0, 100:140] = 1e6
    assert smooth(values, 1, 9).min() >= 0


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
