"""Windows that are joined, against a model that knows what it should say."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.composition.engines.continuing import Windows, continued
from resonate_resources.recordings.recording import Samples

WINDOWS = Windows(window=3000, prompt=1000, fade=100)
WHOLE = np.random.default_rng(5).standard_normal((2, 20_000)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 2999, 3000, 3001, 5000, 5001, 19_999])
def test_a_model_that_goes_on_as_it_should_gives_the_whole_without_a_seam(frames: int) -> None:
    def generate(start: int, prompt: Samples | None, length: int) -> Samples:
        if prompt is not None:
            np.testing.assert_allclose(prompt, WHOLE[:, start : start + prompt.shape[1]], atol=1e-6)
        assert (prompt is None) == (start == 0)
        assert length <= WINDOWS.window
        return WHOLE[:, start : start + length].copy()

    sound = np.concatenate([*continued(generate, frames, WINDOWS)], axis=1)
    np.testing.assert_allclose(sound, WHOLE[:, :frames], atol=1e-6)


def test_one_window_becomes_the_next_within_the_fade() -> None:
    values = iter([1.0, 2.0])

    def generate(_: int, __: Samples | None, length: int) -> Samples:
        return np.full(length, next(values), np.float32)

    sound = np.concatenate([*continued(generate, 5000, WINDOWS)])
    assert sound.size == 5000
    assert (sound[:2900] == 1).all()
    assert (sound[3000:] == 2).all()
    assert np.diff(sound).max() <= 1 / 99 + 1e-6
