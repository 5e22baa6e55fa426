"""Sums and how deep their differences lie."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Samples, write_samples
from resonate_resources.signal.summing import null_depth, sum_recordings

FRAMES = BLOCK_FRAMES + 4321  # so that there is a second, shorter block


def noise(seed: int) -> Samples:
    return np.random.default_rng(seed).standard_normal((2, FRAMES)).astype(np.float32) * np.float32(0.1)


def record(path: Path, samples: Samples) -> Recording:
    return write_samples(path, samples, 44_100)


def test_a_sum_is_the_sum_of_its_samples(tmp_path: Path) -> None:
    parts = [record(tmp_path / f"{n}.wav", noise(n)) for n in range(3)]
    total = sum_recordings(parts, tmp_path / "sum.wav")
    np.testing.assert_allclose(total.read(), noise(0) + noise(1) + noise(2), atol=1e-6)


@pytest.mark.parametrize("depth_db", [-20.0, -60.0, -90.0])
def test_null_depth_is_the_level_of_what_is_left_over(tmp_path: Path, depth_db: float) -> None:
    whole = record(tmp_path / "whole.wav", noise(1))
    part = record(tmp_path / "part.wav", noise(1) * np.float32(1 + 10 ** (depth_db / 20)))
    assert null_depth([part], whole) == pytest.approx(depth_db, abs=0.05)


def test_parts_equal_to_the_whole_null_without_end(tmp_path: Path) -> None:
    whole = record(tmp_path / "whole.wav", noise(1))
    assert null_depth([whole], whole) == -math.inf


def test_sound_in_parts_of_a_silent_whole_is_no_null(tmp_path: Path) -> None:
    whole = record(tmp_path / "whole.wav", np.zeros((2, 100), np.float32))
    assert null_depth([record(tmp_path / "part.wav", noise(1)[:, :100])], whole) == math.inf


def test_recordings_of_different_length_have_no_sum(tmp_path: Path) -> None:
    parts = [record(tmp_path / "a.wav", noise(1)), record(tmp_path / "b.wav", noise(2)[:, :-1])]
    with pytest.raises(ValueError, match="have no sum"):
        sum_recordings(parts, tmp_path / "sum.wav")
    with pytest.raises(ValueError, match="can't sum"):
        null_depth(parts, parts[0])
