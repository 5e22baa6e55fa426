from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, oaconvolve, sosfiltfilt, welch

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.room_tail import RoomTail, response_of
from resonate_resources.signal.decays import OCTAVES_HZ
from resonate_tests.benchmarks.music_truth.rendering import decaying_noise

RATE = 44_100
RT60_S = {125: 1.2, 250: 1.1, 500: 1.0, 1000: 0.9, 2000: 0.8, 4000: 0.7, 8000: 0.5}
TOLD: dict[str, float | None] = {str(hertz): seconds for hertz, seconds in RT60_S.items()}
UNKNOWN: dict[str, float | None] = dict.fromkeys(TOLD)


def octave(samples: npt.NDArray[np.floating], hertz: int) -> npt.NDArray[np.float64]:
    sections = butter(3, [hertz / 2**0.5, hertz * 2**0.5], "band", fs=RATE, output="sos")
    return np.asarray(sosfiltfilt(sections, samples), np.float64)


def decay_s(response: npt.NDArray[np.floating]) -> float:
    """RT60 by backward integration of both channels from −5 to −25 dB (T20 of ISO 3382-1)."""
    power = np.square(response).sum(axis=0)
    left = 10 * np.log10(np.cumsum(power[::-1])[::-1] / power.sum() + 1e-20)
    first, last = np.argmax(left < -5), np.argmax(left < -25)
    return float(3 * (last - first) / RATE)


def strokes(seed: int, seconds: int = 24) -> Samples:
    """A dry part: bursts of noise that die away in 60 ms, then rest."""
    random = np.random.default_rng(seed)
    part = np.zeros((2, seconds * RATE))
    burst = np.exp(-np.arange(RATE // 4) / (0.02 * RATE))
    for second in range(seconds):
        part[:, second * RATE : second * RATE + len(burst)] = burst * random.standard_normal(len(burst))
    return (0.1 * part).astype(np.float32)


def in_room(dry: Samples, wet_db: float) -> Samples:
    """As composed songs are."""
    times = {63: 1.2, **RT60_S, 16000: 0.4}
    response = decaying_noise(times, np.random.default_rng(7))
    wet = oaconvolve(dry, response, axes=1)[:, : dry.shape[1]]
    return np.asarray(dry + 10 ** (wet_db / 20) * wet, np.float32)


def lacking(
    original: Samples, played: Samples, folder: Path, told: dict[str, float | None] = TOLD
) -> RoomTail | None:
    recordings = [
        write_samples(folder / f"{name}.wav", samples, RATE)
        for name, samples in (("original", original), ("played", played))
    ]
    return RoomTail.lacking(told, *recordings)


def applied(tail: RoomTail, samples: Samples, frames: int = 100_000) -> Samples:
    blocks = (samples[:, start : start + frames] for start in range(0, samples.shape[1], frames))
    return np.concatenate(list(tail.applied(blocks)), axis=1)


@pytest.mark.parametrize("hertz", [250, 500, 1000, 2000, 4000])
def test_each_octave_of_the_room_falls_by_60_decibels_in_its_time(hertz: int) -> None:
    response = response_of(RT60_S, dict.fromkeys(OCTAVES_HZ, 0.0), RATE)
    assert decay_s(octave(response, hertz)) == pytest.approx(RT60_S[hertz], rel=0.15)


@pytest.mark.parametrize("hertz", [250, 1000, 4000])
def test_the_room_is_as_loud_in_an_octave_as_its_level_says(hertz: int) -> None:
    levels = dict.fromkeys(OCTAVES_HZ, -6.0)
    direct = np.random.default_rng(1).standard_normal((2, 20 * RATE)).astype(np.float32)
    made = applied(RoomTail(response_of(RT60_S, levels, RATE), levels), direct)
    room = (made - direct)[:, 3 * RATE :]
    lines, powers = welch(np.stack([room, direct[:, 3 * RATE :]]), RATE, nperseg=8192)
    band = (lines > hertz / 2**0.5) & (lines < hertz * 2**0.5)
    wet, dry = powers[..., band].sum(axis=(1, 2))
    assert 10 * np.log10(wet / dry) == pytest.approx(-6, abs=1.5)


def test_a_stroke_keeps_its_direct_sound_and_channels_have_rooms_of_their_own() -> None:
    levels = dict.fromkeys(OCTAVES_HZ, 0.0)
    tail = RoomTail(response_of(RT60_S, levels, RATE), levels)
    impulse = np.zeros((2, 3 * RATE), np.float32)
    impulse[:, RATE] = 1
    room = applied(tail, impulse) - impulse
    assert np.abs(room[:, :RATE]).max() < 1e-6
    assert abs(np.corrcoef(room[:, RATE:])[0, 1]) < 0.1


@given(st.integers(700, 60_000))
@settings(max_examples=10, deadline=None)
def test_blocks_of_any_size_give_the_same(frames: int) -> None:
    levels = dict.fromkeys(OCTAVES_HZ, -3.0)
    tail = RoomTail(response_of(RT60_S, levels, RATE), levels)
    sound = strokes(0, 2)
    made = applied(tail, sound, frames)
    assert made.shape == sound.shape
    assert np.abs(made - applied(tail, sound)).max() < 1e-5


@pytest.mark.parametrize("wet_db", [-8.0, 0.0])
def test_a_dry_part_gets_the_room_of_the_original(wet_db: float, tmp_path: Path) -> None:
    original, played = in_room(strokes(0), wet_db), strokes(1)
    tail = lacking(original, played, tmp_path)
    assert tail is not None
    made = applied(tail, played)
    for hertz in (250, 500, 1000, 2000, 4000):
        # Half a second behind each stroke only the room sounds, against what is heard altogether.
        levels = []
        for sound in (original, made):
            power = np.square(octave(sound[0], hertz)).reshape(-1, RATE)[2:-1].mean(axis=0)
            levels.append(10 * np.log10(power[RATE // 2 : RATE * 3 // 4].sum() / power.sum()))
        assert levels[1] == pytest.approx(levels[0], abs=2.5)


def test_what_rings_on_as_long_already_gets_no_room(tmp_path: Path) -> None:
    assert lacking(in_room(strokes(0), -3.0), in_room(strokes(1), -3.0), tmp_path) is None


def test_what_is_wetter_than_the_original_gets_no_room(tmp_path: Path) -> None:
    assert lacking(in_room(strokes(0), -9.0), in_room(strokes(1), 0.0), tmp_path) is None


def test_where_no_room_is_known_there_is_none(tmp_path: Path) -> None:
    assert lacking(in_room(strokes(0), 0.0), strokes(1), tmp_path, UNKNOWN) is None


@pytest.mark.parametrize("silent", ["original", "played", "both"])
def test_silence_gets_no_room(silent: str, tmp_path: Path) -> None:
    sounds = [in_room(strokes(0), 0.0), strokes(1)]
    silence = np.zeros_like(sounds[0])
    original = silence if silent != "played" else sounds[0]
    played = silence if silent != "original" else sounds[1]
    assert lacking(original, played, tmp_path) is None


def test_a_part_without_rests_gets_no_room(tmp_path: Path) -> None:
    """Nothing dies away in noise that is held: what fills it up is no room."""
    held = [np.random.default_rng(seed).standard_normal((2, 10 * RATE)) for seed in (0, 1)]
    original, played = (np.asarray(0.05 * sound, np.float32) for sound in held)
    assert lacking(in_room(original, 0.0), played, tmp_path) is None
