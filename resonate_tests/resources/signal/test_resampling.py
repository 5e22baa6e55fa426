from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.signal.resampling import at_rate


@pytest.mark.parametrize(
    ("source", "target"),
    [(48000, 44100), (8000, 44100), (44100, 192000), (44100, 44100), (96000, 48000), (11025, 48000)],
)
def test_a_sine_comes_out_at_another_rate_in_place_and_of_the_asked_length(source, target):
    seconds = 1.5
    time = np.arange(int(source * seconds)) / source
    sine = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 1000 * time)]).astype(np.float32)
    blocks = (sine[:, first : first + 1000] for first in range(0, sine.shape[1], 1000))
    frames = int(target * seconds)
    converted = np.concatenate(list(at_rate(blocks, source, target, 2, frames)), axis=1)
    assert converted.shape == (2, frames)
    time = np.arange(frames) / target
    expected = np.stack([np.sin(2 * np.pi * 1000 * time), np.cos(2 * np.pi * 1000 * time)])
    inner = slice(frames // 10, -frames // 10)  # away from where the sine is switched
    assert np.abs(converted - expected)[:, inner].max() < 1e-4  # −80 dBFS


@given(
    st.sampled_from([8000, 44_100, 192_000]),
    st.sampled_from([8000, 48_000]),
    st.integers(0, 3000),
    st.integers(0, 3000),
)
def test_the_length_is_what_was_asked_for_whatever_came(source, target, came, wanted):
    blocks = [np.ones((3, came), np.float32)]
    assert sum(block.shape[1] for block in at_rate(blocks, source, target, 3, wanted)) == wanted


def test_what_is_too_short_is_filled_up_with_silence():
    blocks = [np.ones((1, 100), np.float32)]
    converted = np.concatenate(list(at_rate(blocks, 8000, 8000, 1, 150)), axis=1)
    np.testing.assert_array_equal(converted, np.repeat([[1, 0]], [100, 50], axis=1).astype(np.float32))
