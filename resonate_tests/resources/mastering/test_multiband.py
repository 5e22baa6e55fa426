"""Bands against the static curve of theory: so much over the threshold, so much less by the ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from resonate_resources.mastering.multiband import BandLevels, Bands, Multiband
from resonate_resources.mastering.shaping import DENSITY
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.compression import Compression
from resonate_resources.signal.linear_phase import filtered
from resonate_resources.signal.octaves import octave_levels

RATE = 44_100
SECONDS = 12
TIME = np.arange(SECONDS * RATE) / RATE
BURST = np.clip(
    np.minimum(TIME - 6, 6.5 - TIME) / 0.02, 0, 1
)  # edges of 20 ms, that splash into no other band
FADE = np.minimum(1.0, np.minimum(TIME, TIME[::-1]) / 0.5)
MIDDLE = slice(int(6.2 * RATE), int(6.4 * RATE))
TWO_TO_ONE = Bands((Compression(6.0, 2.0, 30.0, 200.0, 3.0),) * 3, most_db=6.0)
SETTINGS = {preset: density.bands for preset, density in DENSITY.items() if density is not None}


def recording(samples: Samples, folder: Path, name: str = "source") -> Recording:
    return write_samples(folder / f"{name}.wav", np.atleast_2d(samples).astype(np.float32), RATE)


def compressed(
    samples: Samples, folder: Path, settings: Bands = TWO_TO_ONE, part: float = 1.0
) -> tuple[Samples, Multiband]:
    source = recording(samples, folder)
    multiband = Multiband(source, settings, part)
    made = np.concatenate(list(multiband.blocks()), axis=1)
    assert made.shape == (source.channels, source.frames)
    assert np.isfinite(made).all()
    return made, multiband


def tones(amplitudes: Mapping[float, float], burst_hz: float = 0.0, burst_db: float = 10.0) -> Samples:
    """Each at its amplitude; the one at burst_hz louder for half a second."""
    smooth = np.square(np.sin(np.pi / 2 * BURST))
    louder = 1 + smooth * (10 ** (burst_db / 20) - 1)
    return FADE * sum(
        (louder if hertz == burst_hz else 1.0) * amplitude * np.sin(2 * np.pi * hertz * TIME)
        for hertz, amplitude in amplitudes.items()
    )


def gain_db(made: Samples, source: Samples, hertz: float) -> float:
    """Of a tone in the middle of the burst."""
    wave = np.exp(-2j * np.pi * hertz * TIME[MIDDLE])
    return float(20 * np.log10(np.abs(made[0, MIDDLE] @ wave) / np.abs(source[MIDDLE] @ wave)))


@pytest.mark.parametrize("settings", [TWO_TO_ONE, *SETTINGS.values()])
@pytest.mark.parametrize("hertz", [60.0, 1000.0, 8000.0])
def test_a_steady_tone_passes_bit_for_bit_whatever_its_level(
    hertz: float, settings: Bands, tmp_path: Path
) -> None:
    for amplitude in (1e-4, 0.03, 0.9):
        source = tones({hertz: amplitude})
        made, multiband = compressed(source, tmp_path, settings)
        np.testing.assert_array_equal(made[0], source.astype(np.float32))
        assert multiband.most_reduction_db == 0
        assert multiband.make_up is None


@pytest.mark.parametrize("ratio", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("hertz", [60.0, 1000.0, 8000.0])
def test_a_burst_falls_by_what_the_ratio_says(hertz: float, ratio: float, tmp_path: Path) -> None:
    """The tone's crests are 3 dB over its level, the threshold 6, the burst's crests 13."""
    source = tones({hertz: 0.1}, hertz)
    settings = Bands(tuple(replace(each, ratio=ratio) for each in TWO_TO_ONE.each), most_db=20.0)
    made, multiband = compressed(source, tmp_path, settings)
    fall = (13.01 - 6.0) * (1 - 1 / ratio)
    tolerance = 0.5 if hertz == 60 else 0.1  # a wave of 60 Hz is longer than what is looked ahead
    assert gain_db(made, source, hertz) == pytest.approx(-fall, abs=tolerance)
    assert multiband.most_reduction_db == pytest.approx(fall, abs=0.4)


def test_gain_falls_no_further_than_is_allowed_and_by_its_part(tmp_path: Path) -> None:
    source = tones({1000.0: 0.05}, 1000.0)  # 3.5 dB, were it not bounded
    bounded = replace(TWO_TO_ONE, most_db=3.0)
    for part in (1.0, 0.5, 1e-4):
        made, multiband = compressed(source, tmp_path, bounded, part)
        fall = -20 * np.log10(1 - part * (1 - 10 ** (-3 / 20)))
        assert gain_db(made, source, 1000.0) == pytest.approx(-fall, abs=0.01)
        assert multiband.most_reduction_db == pytest.approx(fall, abs=0.01)


@pytest.mark.parametrize("loud_hz", [60.0, 1000.0, 8000.0])
def test_what_is_loud_in_one_band_does_not_move_the_others(loud_hz: float, tmp_path: Path) -> None:
    amplitudes = {60.0: 0.1, 1000.0: 0.1, 8000.0: 0.1}
    source = tones(amplitudes, loud_hz)
    made, _ = compressed(source, tmp_path)
    for hertz in amplitudes:
        expected = -3.5 if hertz == loud_hz else 0.0
        assert gain_db(made, source, hertz) == pytest.approx(expected, abs=0.5 if hertz == loud_hz else 0.1)


def strokes(levels_db: tuple[float, float, float], seed: int = 0) -> Samples:
    """Noise that strikes in three bands, in each at other times, over a steady bed; stereo."""
    rng = np.random.default_rng(seed)
    total = np.zeros((2, TIME.size))
    for (low, high), level_db, every in zip(
        ((30, 150), (200, 2000), (3000, 12_000)), levels_db, (0.5, 0.75, 0.31), strict=True
    ):
        spectrum = np.fft.rfft(rng.standard_normal((2, TIME.size)))
        hertz = np.fft.rfftfreq(TIME.size, 1 / RATE)
        band = np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), TIME.size)
        total += 10 ** (level_db / 20) * band / band.std() * (0.15 + np.exp(-(TIME % every) / 0.06))
    return 0.1 * total


@pytest.mark.parametrize("preset", SETTINGS)
def test_tone_stays_once_bands_have_back_what_they_lost(preset: str, tmp_path: Path) -> None:
    source = strokes((0.0, 0.0, -6.0))
    made, multiband = compressed(source, tmp_path, SETTINGS[preset])
    assert multiband.most_reduction_db > 1
    assert multiband.make_up is not None
    done = np.concatenate(list(filtered(recording(made, tmp_path, "made"), multiband.make_up)), axis=1)
    now, before = (
        octave_levels(recording(each, tmp_path, name)) for each, name in ((done, "done"), (source, "source"))
    )
    heard = before > 1e-3 * before.max()
    assert np.abs(10 * np.log10(now / before))[heard].max() < 1.0
    assert 10 * np.log10(now.sum() / before.sum()) == pytest.approx(0, abs=0.1)
    assert np.abs(done).max() < 0.97 * np.abs(source).max()


def test_the_level_at_which_it_came_moves_nothing(tmp_path: Path) -> None:
    source = strokes((0.0, -3.0, -6.0))
    loud, _ = compressed(source, tmp_path)
    quiet, _ = compressed(0.01 * source, tmp_path)
    assert 10 * np.log10(np.mean((100 * quiet - loud) ** 2) / np.mean(loud**2)) < -80


def test_levels_are_those_of_the_sound_at_whatever_rate(tmp_path: Path) -> None:
    source = strokes((0.0, -3.0, -6.0))
    found = []
    for rate, samples in ((RATE, source), (48_000, resample_poly(source, 160, 147, axis=1))):
        levels = BandLevels(rate, 2)
        for part in np.array_split(samples.astype(np.float32), 7, axis=1):
            levels.update(part)
        found.append(levels.levels_db())
    assert found[0] == pytest.approx(found[1], abs=0.03)
    tone = BandLevels(RATE, 1)
    tone.update((0.5 * np.sin(2 * np.pi * 1000 * TIME))[None].astype(np.float32))
    assert tone.levels_db()[1] == pytest.approx(-6.02 - 3.01, abs=0.01)


def test_pauses_and_a_click_move_no_threshold(tmp_path: Path) -> None:
    source = tones({1000.0: 0.05}, 1000.0)
    pause = np.concatenate([np.zeros(20 * RATE), source, np.zeros(20 * RATE)])
    pause[RATE] = 0.9
    made, _ = compressed(pause, tmp_path)
    assert gain_db(made[:, 20 * RATE :], source, 1000.0) == pytest.approx(-3.5, abs=0.1)


def test_all_channels_of_a_band_have_one_gain(tmp_path: Path) -> None:
    left = strokes((0.0, 0.0, 0.0))[0]
    made, _ = compressed(np.stack([left, -0.25 * left, 0 * left]), tmp_path)
    np.testing.assert_allclose(made[1], -0.25 * made[0], atol=1e-6)
    assert not made[2].any()


def test_a_band_that_is_hardly_there_is_left_alone(tmp_path: Path) -> None:
    source = tones({1000.0: 0.5, 8000.0: 0.5 * 10 ** (-64 / 20)}, 8000.0)
    made, _ = compressed(source, tmp_path)
    np.testing.assert_array_equal(made[0], source.astype(np.float32))
    louder = tones({1000.0: 0.5, 8000.0: 0.5 * 10 ** (-36 / 20)}, 8000.0)
    made, _ = compressed(louder, tmp_path)
    assert gain_db(made, louder, 8000.0) == pytest.approx(-3.5, abs=0.1)


def test_a_loop_stays_a_loop(tmp_path: Path) -> None:
    frames = 3 * RATE
    at = np.arange(frames) / RATE
    swell = 1 + 4 * np.exp(-(((at + 1.5) % 3.0 - 1.5) ** 2) / 0.02)  # loudest at the seam
    loop = 0.1 * swell * np.sin(2 * np.pi * 200 * at)
    made, _ = compressed(loop, tmp_path)
    crests = np.array([RATE // 800, frames - RATE // 800])  # of the first wave, and of the last
    first, last = made[0, crests] / loop[crests]
    assert first < 0.9
    assert first == pytest.approx(last, abs=0.005)
    assert abs(made[0, 0] - made[0, -1]) <= 1.01 * np.abs(np.diff(made[0])).max()


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("frames", [1, 500, 4096, 20_000])
def test_any_length_and_channels_and_silence(channels: int, frames: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (channels, frames))
    samples[0] = 0
    made, _ = compressed(samples, tmp_path, SETTINGS["aggressive"])
    assert not made[0].any()
    silence, multiband = compressed(0 * samples, tmp_path, SETTINGS["aggressive"])
    assert not silence.any()
    assert multiband.most_reduction_db == 0
    assert multiband.make_up is None
    constant, _ = compressed(0 * samples + 0.3, tmp_path, SETTINGS["aggressive"])
    assert np.abs(constant).max() <= 0.31


def test_a_little_more_of_it_moves_a_little_more(tmp_path: Path) -> None:
    source = strokes((0.0, 0.0, -6.0))
    at = [compressed(source, tmp_path, part=part)[0] for part in (1e-4, 0.5, 0.5001)]
    for one, other in ((source, at[0]), (at[1], at[2])):
        assert 10 * np.log10(np.mean((one - other) ** 2) / np.mean(one**2)) < -75
