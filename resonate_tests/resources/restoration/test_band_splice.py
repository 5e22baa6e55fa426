from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.band_splice import chunks, cross_faded, low_passed, spliced

RATE = 48_000
CUT_HZ = 8000.0


def noise(seed: int, frames: int = 2 * RATE, channels: int = 2) -> Samples:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32) * 0.1


def level_db(samples: Samples, low_hz: float, high_hz: float) -> float:
    """Of a band, leakage of the spectrum's lines apart: through a Blackman window."""
    power = np.abs(np.fft.rfft(samples * np.blackman(samples.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(samples.shape[1], 1 / RATE)
    return float(10 * np.log10(power[:, (hertz >= low_hz) & (hertz < high_hz)].mean() + 1e-20))


def in_blocks(samples: Samples, *cuts: int) -> list[Samples]:
    return np.split(samples, cuts, axis=1)


def test_a_generator_hears_nothing_from_the_cut_on_and_all_that_is_a_semitone_below() -> None:
    heard = np.concatenate(list(low_passed(iter([noise(1)]), CUT_HZ, RATE)), axis=1)

    assert heard.shape == (2, 2 * RATE)
    assert level_db(heard, CUT_HZ * 1.001, 20_000) < level_db(heard, 1000, 7000) - 75
    assert level_db(heard - noise(1), 100, CUT_HZ * 2 ** (-1 / 12)) < level_db(heard, 1000, 7000) - 75


def test_below_the_cut_the_original_is_kept_and_above_it_what_was_generated_comes_in() -> None:
    original = np.concatenate(list(low_passed(iter([noise(1)]), CUT_HZ, RATE)), axis=1)
    generated = noise(2)

    whole = np.concatenate(list(spliced(iter([original]), iter([generated]), CUT_HZ, RATE)), axis=1)

    assert level_db(whole - original, 20, CUT_HZ * 2 ** (-1 / 12)) < level_db(original, 1000, 7000) - 75
    assert level_db(whole - generated, CUT_HZ * 1.001, 20_000) < level_db(generated, 9000, 20_000) - 75


def test_a_recording_that_a_generator_hands_back_as_it_was_is_whole_again() -> None:
    clean = noise(3)
    heard = np.concatenate(list(low_passed(iter([clean]), CUT_HZ, RATE)), axis=1)

    whole = np.concatenate(list(spliced(iter([heard]), iter([clean]), CUT_HZ, RATE)), axis=1)

    assert np.abs(whole - clean).max() < 1e-5


def test_the_splice_does_not_depend_on_how_it_is_cut_into_blocks() -> None:
    original, generated = noise(4), noise(5)
    whole = np.concatenate(list(spliced(iter([original]), iter([generated]), CUT_HZ, RATE)), axis=1)

    cuts = (1, 700, 50_000)
    parts = spliced(iter(in_blocks(original, *cuts)), iter(in_blocks(generated, *cuts)), CUT_HZ, RATE)

    np.testing.assert_allclose(np.concatenate(list(parts), axis=1), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("frames", "size", "overlap"), [(1, 100, 10), (100, 100, 10), (101, 100, 10), (1000, 130, 30)]
)
def test_chunks_that_are_left_as_they_are_join_to_what_they_were_cut_from(
    frames: int, size: int, overlap: int
) -> None:
    sound = noise(6, frames)

    joined = cross_faded((sound[:, start:stop] for start, stop in chunks(frames, size, overlap)), overlap)

    np.testing.assert_allclose(np.concatenate(list(joined), axis=1), sound, atol=1e-7)


def test_chunks_that_have_nothing_in_common_join_without_a_dip() -> None:
    pieces = [noise(seed, RATE) for seed in range(2)]

    joined = np.concatenate(list(cross_faded(iter(pieces), RATE // 2)), axis=1)

    power = np.mean(np.square(joined), axis=0).reshape(-1, RATE // 20).mean(axis=1)
    assert 10 * np.log10(power.min() / power.max()) > -1  # a linear cross-fade would dip by 3 dB


@pytest.mark.parametrize("frames", [0, 1, 50])
def test_shorter_than_any_filter_it_keeps_its_length(frames: int) -> None:
    parts = list(spliced(iter([noise(7, frames)]), iter([noise(8, frames)]), CUT_HZ, RATE))

    assert sum(part.shape[1] for part in parts) == frames
