from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.joining import glide
from resonate_resources.signal.stretching import stretch
from resonate_resources.signal.time_map import TimeMap

RATE = 44_100


def snares(seconds: float, rate: int = RATE) -> tuple[Samples, npt.NDArray[np.float64]]:
    """Bursts of noise every half second, and the seconds at which they begin."""
    rng = np.random.default_rng(0)
    begin = np.arange(0.5, seconds - 0.4, 0.5)
    audio = np.zeros(round(seconds * rate))
    after = np.arange(round(0.2 * rate)) / rate
    for second in begin:
        first = round(second * rate)
        audio[first : first + len(after)] += 0.4 * rng.standard_normal(len(after)) * np.exp(-30 * after)
    return audio[np.newaxis].astype(np.float32), begin


def begins_near(audio: Samples, second: float, rate: int) -> float:
    """When, within 0.1 s, the level over 2 ms passes a quarter of its peak's power for the last time before it."""
    start = round((second - 0.1) * rate)
    power = np.square(audio[0, start : start + round(0.2 * rate)], dtype=np.float64)
    over = np.convolve(power, np.ones(rate // 500))[: len(power)]
    top = int(over.argmax())
    below = np.flatnonzero(over[:top] < 0.25 * over[top])
    return (start + (int(below[-1]) + 1 if len(below) else 0)) / rate


def hertz_of(tone: Samples) -> float:
    """By the peak of the spectrum, between its lines by a parabola."""
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(tone[0] * np.hanning(tone.shape[1]), size))
    peak = int(spectrum.argmax())
    before, at, after = np.log(spectrum[peak - 1 : peak + 2])
    return float((peak + 0.5 * (before - after) / (before - 2 * at + after)) * RATE / size)


def tone(hertz: float, seconds: float) -> Samples:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))[np.newaxis].astype(
        np.float32
    )


@settings(max_examples=12, deadline=None)
@given(ratio=st.floats(0.5, 2.0), semitones=st.floats(-12, 12))
def test_a_tone_has_the_length_and_the_pitch_that_were_asked_for(
    tmp_path_factory: pytest.TempPathFactory, ratio: float, semitones: float
) -> None:
    folder = tmp_path_factory.mktemp("tone")
    source = write_samples(folder / "tone.wav", tone(440, 3), RATE)
    made = stretch(source, TimeMap.steady(ratio), semitones, folder / "made.wav")
    assert made.frames == round(ratio * source.frames)
    heard = made.read()[:, RATE // 4 : -RATE // 4]
    assert 1200 * np.log2(hertz_of(heard) / 440) == pytest.approx(100 * semitones, abs=2)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.03)


@settings(max_examples=10, deadline=None)
@given(ratio=st.floats(0.5, 1.35))  # beyond, Rubber Band itself spreads attacks further: docs/remix.md
def test_drum_hits_land_within_three_milliseconds_of_where_they_must(
    tmp_path_factory: pytest.TempPathFactory, ratio: float
) -> None:
    folder = tmp_path_factory.mktemp("hits")
    audio, begin = snares(8)
    source = write_samples(folder / "hits.wav", audio, RATE)
    made = stretch(source, TimeMap.steady(ratio), 0.0, folder / "made.wav").read()
    own = [begins_near(audio, second, RATE) - second for second in begin]
    found = [begins_near(made, second * ratio, RATE) for second in begin]
    np.testing.assert_allclose(np.array(found) - own, begin * ratio, atol=0.003)


@pytest.mark.parametrize("ratio", [0.9, 1.1])
def test_there_is_no_drift_over_minutes_and_no_seam_where_parts_meet(tmp_path: Path, ratio: float) -> None:
    audio, begin = snares(130)
    source = write_samples(tmp_path / "hits.wav", audio, RATE)
    made = stretch(source, TimeMap.steady(ratio), 0.0, tmp_path / "made.wav").read()
    own = np.array([begins_near(audio, second, RATE) for second in begin]) - begin
    off = np.array([begins_near(made, second * ratio, RATE) for second in begin]) - own - begin * ratio
    assert np.abs(off).max() < 0.002
    assert abs(np.polyfit(begin, off, 1)[0]) * 3600 < 0.02  # 20 ms an hour, had it any


def test_a_held_tone_keeps_its_level_where_parts_meet(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "tone.wav", tone(211, 65), RATE)
    made = stretch(source, TimeMap.steady(1.07), 0.0, tmp_path / "made.wav").read()[0, RATE:-RATE]
    levels = np.sqrt(np.mean(np.square(made[: len(made) // 4410 * 4410]).reshape(-1, 4410), axis=1))
    np.testing.assert_allclose(20 * np.log10(levels * np.sqrt(2) / 0.3), 0, atol=0.2)


def test_a_tone_of_opposed_phases_which_a_crossfade_would_lose_keeps_its_level() -> None:
    one = tone(440, 1)
    made = glide(one, -one)
    levels = np.sqrt(np.mean(np.square(made[0, 2205:-2205]).reshape(-1, 441), axis=1)) * np.sqrt(2) / 0.3
    assert levels.min() > 0.95
    np.testing.assert_allclose(made[0, :2000], one[0, :2000], atol=1e-3)
    np.testing.assert_allclose(made[0, -2000:], -one[0, -2000:], atol=1e-3)


def test_each_hit_goes_where_a_map_that_drifts_has_it(tmp_path: Path) -> None:
    audio, begin = snares(25)
    source = write_samples(tmp_path / "hits.wav", audio, RATE)
    knots = np.arange(0, 26, 0.5)
    target = np.append(0, np.cumsum(0.5 * (1 + 0.06 * np.sin(knots[:-1]))))
    time_map = TimeMap((-1.0, *knots, 60.0), (-1.0, *target, target[-1] + 60 - knots[-1]))
    made = stretch(source, time_map, 0.0, tmp_path / "made.wav").read()
    own = np.array([begins_near(audio, second, RATE) for second in begin]) - begin
    found = np.array([begins_near(made, second, RATE) for second in time_map(begin)])
    np.testing.assert_allclose(found - own, time_map(begin), atol=0.002)


@pytest.mark.parametrize(("rate", "channels", "frames"), [
    (44_100, 1, 44_100), (48_000, 6, 48_000), (8000, 1, 9000), (96_000, 2, 30_000), (44_100, 2, 10), (44_100, 2, 2),
])  # fmt: skip
def test_short_files_mono_and_surround_come_out_whole(
    tmp_path: Path, rate: int, channels: int, frames: int
) -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32)
    source = write_samples(tmp_path / "short.wav", audio, rate)
    told: list[float] = []
    made = stretch(source, TimeMap.steady(1.5), -2.0, tmp_path / "made.wav", told.append)
    assert made == Recording(made.path, rate, channels, round(1.5 * frames))
    assert np.isfinite(made.read()).all()
    if frames > rate / 2:
        assert np.std(made.read(), axis=1) == pytest.approx(np.std(audio, axis=1), rel=0.3)


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_hits_land_at_other_rates_too(tmp_path: Path, rate: int) -> None:
    audio, begin = snares(6, rate)
    source = write_samples(tmp_path / "hits.wav", audio, rate)
    made = stretch(source, TimeMap.steady(0.85), 0.0, tmp_path / "made.wav").read()
    own = np.array([begins_near(audio, second, rate) for second in begin]) - begin
    found = np.array([begins_near(made, second * 0.85, rate) for second in begin])
    np.testing.assert_allclose(found - own, begin * 0.85, atol=0.004)


def test_two_stems_and_their_twins_are_the_same_to_the_bit(tmp_path: Path) -> None:
    audio, _ = snares(25)
    source = write_samples(tmp_path / "hits.wav", audio, RATE)
    first, second = (stretch(source, TimeMap.steady(1.1), 1.0, tmp_path / f"{name}.wav") for name in "ab")
    assert first.sha256 == second.sha256
