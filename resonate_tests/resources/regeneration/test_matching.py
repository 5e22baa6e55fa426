from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt, welch

from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.matching import (
    BUS_EQ_DB,
    STEM_EQ_DB,
    Levels,
    bars,
    bus_taps,
    levels_of,
    match,
)
from resonate_resources.signal.linear_phase import convolved

RATE = 44_100
BARS_S = (0.0, 2.0, 4.0, 6.0)
FRAMES = 8 * RATE
EDGES = bars(BARS_S, RATE, FRAMES)


def noise(level: float = 0.1, seed: int = 0) -> npt.NDArray[np.float64]:
    return level * np.random.default_rng(seed).standard_normal(FRAMES)


def in_stereo(mid: npt.NDArray[np.float64], side: npt.NDArray[np.float64] | float = 0.0) -> Samples:
    return np.stack([mid + side, mid - side]).astype(np.float32)


def matched(original: Samples, played: Samples, frames: int = 10_000) -> Samples:
    brought = match(heard(original), heard(played), EDGES, RATE)
    return np.concatenate(list(brought.applied(blocks(played, frames))), axis=1)


def heard(sound: Samples) -> Levels:
    return levels_of(iter([sound]), RATE, EDGES)


def blocks(sound: Samples, frames: int) -> Iterator[Samples]:
    return (sound[:, start : start + frames] for start in range(0, sound.shape[1], frames))


def spectrum_db(sound: Samples, hertz: float) -> float:
    """Level of the mid in the third of an octave around, by scipy's periodograms."""
    lines, power = welch(sound.mean(axis=0), RATE, nperseg=8192)
    band = (lines > hertz / 2 ** (1 / 6)) & (lines < hertz * 2 ** (1 / 6))
    return float(10 * np.log10(power[band].mean()))


def level_db(sound: npt.NDArray[np.floating], start_s: float, stop_s: float) -> float:
    return float(10 * np.log10(np.square(sound[..., round(start_s * RATE) : round(stop_s * RATE)]).mean()))


def test_what_was_dulled_gets_the_tone_and_level_of_the_original() -> None:
    original = in_stereo(noise())
    dulled = in_stereo(0.3 * sosfilt(butter(1, 3000, fs=RATE, output="sos"), noise(seed=1)))
    made = matched(original, dulled)
    for hertz in (100, 400, 1000, 3000, 6000):
        assert spectrum_db(made, hertz) == pytest.approx(spectrum_db(original, hertz), abs=1.0)


def test_the_equaliser_moves_no_band_by_more_than_twelve_decibels_against_the_others() -> None:
    original = in_stereo(noise())
    muffled = in_stereo(sosfilt(butter(4, 1000, fs=RATE, output="sos"), noise(seed=1)))
    assert np.abs(match(heard(original), heard(muffled), EDGES, RATE).eq_db).max() <= STEM_EQ_DB
    made = matched(original, muffled)
    lifted = (
        spectrum_db(made, 6000)
        - spectrum_db(muffled, 6000)
        - (spectrum_db(made, 300) - spectrum_db(muffled, 300))
    )
    assert lifted <= 2 * STEM_EQ_DB + 1


def test_the_bus_moves_no_band_by_more_than_six_decibels() -> None:
    bright = in_stereo(sosfilt(butter(2, 2000, "highpass", fs=RATE, output="sos"), noise()))
    response = np.abs(np.fft.rfft(bus_taps(heard(in_stereo(noise())), heard(bright), RATE)))
    assert 20 * np.log10(response.max()) <= BUS_EQ_DB + 0.5


def test_bars_come_to_the_levels_of_the_original() -> None:
    course = np.repeat(10 ** (np.array([0.0, -4.0, 3.0, -2.0]) / 20), 2 * RATE)
    original, played = in_stereo(noise() * course), in_stereo(noise(seed=1))
    made = matched(original, played)
    for start in BARS_S:
        inside = start + 0.2, start + 1.8
        assert level_db(made, *inside) == pytest.approx(level_db(original, *inside), abs=0.5)


def test_a_bar_that_is_all_but_missing_is_not_made_of_its_noise() -> None:
    course = np.repeat([1.0, 1.0, 0.01, 1.0], 2 * RATE)
    original, played = in_stereo(noise()), in_stereo(noise(seed=1) * course)
    made = matched(original, played)
    gained = level_db(made, 4.2, 5.8) - level_db(played, 4.2, 5.8)
    usual = level_db(made, 0.2, 1.8) - level_db(played, 0.2, 1.8)
    assert gained - usual <= 12  # 6 dB more, and up to 6 dB less in the others


def test_a_voice_in_the_middle_is_made_as_wide_as_the_original() -> None:
    original = in_stereo(noise(), 0.5 * noise(seed=2))
    made = matched(original, in_stereo(noise(seed=1)))
    mid, side = (made[0] + made[1]) / 2, (made[0] - made[1]) / 2
    assert level_db(side, 0, 8) - level_db(mid, 0, 8) == pytest.approx(20 * np.log10(0.5), abs=1.0)
    assert abs(np.corrcoef(mid, side)[0, 1]) < 0.2


def test_what_is_wider_than_the_original_is_made_as_narrow() -> None:
    original = in_stereo(noise(), 0.2 * noise(seed=2))
    made = matched(original, in_stereo(noise(seed=1), noise(seed=3)))
    mid, side = (made[0] + made[1]) / 2, (made[0] - made[1]) / 2
    assert level_db(side, 0, 8) - level_db(mid, 0, 8) == pytest.approx(20 * np.log10(0.2), abs=1.0)


def test_a_middle_stays_in_the_middle() -> None:
    made = matched(in_stereo(noise()), in_stereo(noise(seed=1)))
    assert np.abs(made[0] - made[1]).max() < 1e-4


@pytest.mark.parametrize(("original", "played"), [(0.0, 0.1), (0.1, 0.0), (0.0, 0.0)])
def test_beside_silence_nothing_is_changed(original: float, played: float) -> None:
    sound = in_stereo(noise(played, seed=1))
    np.testing.assert_allclose(matched(in_stereo(noise(original)), sound), sound, atol=1e-6)


@settings(max_examples=5, deadline=None)
@given(frames=st.integers(500, 50_000))
def test_blocks_of_any_size_give_the_same_sound(frames: int) -> None:
    original, played = in_stereo(noise(), 0.3 * noise(seed=2)), in_stereo(noise(0.05, seed=1))
    whole = matched(original, played, FRAMES)
    np.testing.assert_allclose(matched(original, played, frames), whole, atol=2e-5)


def test_stretches_of_two_seconds_stand_in_for_bars() -> None:
    assert bars((), RATE, 5 * RATE) == [0, 2 * RATE, 4 * RATE, 5 * RATE]
    assert bars((0.5, 2.5), RATE, 5 * RATE) == [0, RATE // 2, 5 * RATE // 2, 5 * RATE]


def test_a_single_tap_leaves_the_stream_as_it_is() -> None:
    sound = in_stereo(noise())
    silence = heard(np.zeros_like(sound))
    taps = bus_taps(silence, silence, RATE)
    np.testing.assert_allclose(
        np.concatenate(list(convolved(iter([sound]), (taps, taps))), axis=1), sound, atol=1e-7
    )
