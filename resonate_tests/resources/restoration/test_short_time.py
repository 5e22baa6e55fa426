from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.restoration.short_time import (
    hann,
    overlap_added,
    root_hann,
    short_time_spectra,
    window_frames,
)


@settings(max_examples=30)
@given(
    frames=st.integers(1, 5000),
    channels=st.integers(1, 3),
    cuts=st.sets(st.integers(1, 4999), max_size=5),
    seed=st.integers(0, 99),
)
def test_what_is_left_as_it_is_comes_back_whole_however_it_is_cut_into_blocks(
    frames: int, channels: int, cuts: set[int], seed: int
) -> None:
    sound = np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)
    blocks = np.split(sound, sorted(cut for cut in cuts if cut < frames), axis=1)

    for window in (hann, root_hann):
        spectra = short_time_spectra(blocks, 256, window)
        back = np.concatenate(list(overlap_added(spectra, 256, frames, window)), axis=1)
        np.testing.assert_allclose(back, sound, atol=1e-5)


@pytest.mark.parametrize(
    ("sample_rate", "frames"), [(8000, 256), (44_100, 1024), (48_000, 1024), (192_000, 4096)]
)
def test_a_window_is_about_as_long_at_every_rate(sample_rate: int, frames: int) -> None:
    assert window_frames(sample_rate, 0.023) == frames
