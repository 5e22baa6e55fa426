"""Rooms and delays that are known, because they were made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.analysis.delay import hear_delay
from resonate_resources.analysis.robotic import held_pitch_of
from resonate_resources.analysis.space import find_decays, hear_space
from resonate_resources.recordings.recording import Recording, write_samples

RATE = 44_100
SECONDS = 20
TIME = np.arange(SECONDS * RATE) / RATE

Wave = npt.NDArray[np.float64]


def recording(path: Path, wave: Wave) -> Recording:
    return write_samples(path, np.atleast_2d(wave).astype(np.float32), RATE)


def bursts(seed: int, every_s: float, length_s: float) -> Wave:
    """Noise that stops at once."""
    noise = np.random.default_rng(seed).standard_normal(len(TIME))
    return 0.1 * noise * ((TIME % every_s) < length_s)


def in_room(dry: Wave, rt60_s: float, seed: int) -> Wave:
    """In a diffuse room: its response is noise that falls by 60 dB in rt60_s."""
    from scipy.signal import oaconvolve

    seconds = np.arange(round(1.3 * rt60_s * RATE)) / RATE
    response = np.random.default_rng(seed).standard_normal(len(seconds)) * 10 ** (-3 * seconds / rt60_s)
    wet = oaconvolve(dry, response / np.sqrt(np.square(response).sum()))[: len(dry)]
    return dry + wet


def twangs(every_s: float, rt60_s: float, hertz: float) -> Wave:
    since = TIME % every_s
    return 0.3 * np.sin(2 * np.pi * hertz * since) * 10 ** (-3 * since / rt60_s)


@pytest.mark.parametrize("rt60_s", [0.5, 1.2])
def test_the_time_of_a_room_is_heard_in_every_octave_within_a_fifth(rt60_s: float, tmp_path: Path) -> None:
    stems = {
        "drums": recording(tmp_path / "drums.wav", in_room(bursts(1, 1.1, 0.05), rt60_s, 5)),
        "vocals": recording(tmp_path / "vocals.wav", in_room(bursts(2, 1.7, 0.4), rt60_s, 5)),
    }
    found = hear_space(stems)
    assert found.confidence > 0.5
    assert len([told for told in found.rt60_s.values() if told]) >= 5
    for told in found.rt60_s.values():
        assert told is None or told == pytest.approx(rt60_s, rel=0.2)


def test_instruments_that_ring_for_times_of_their_own_are_no_room(tmp_path: Path) -> None:
    stems = {
        "drums": recording(tmp_path / "drums.wav", twangs(1.1, 0.5, 997)),
        "other": recording(tmp_path / "other.wav", twangs(1.7, 1.5, 1013)),
    }
    assert hear_space(stems).confidence < 0.5


def test_one_stem_does_not_tell_its_room(tmp_path: Path) -> None:
    stem = recording(tmp_path / "drums.wav", in_room(bursts(1, 1.1, 0.05), 0.8, 5))
    found = hear_space({"drums": stem})
    assert found.confidence == 0
    assert set(found.rt60_s.values()) == {None}


def test_a_decay_with_two_slopes_is_told_by_its_second() -> None:
    seconds = np.arange(200) / 100
    course = 10 * np.log10(10 ** (-200 * seconds / 10) + 10 ** ((-12 - 40 * seconds) / 10))
    decays = find_decays(np.maximum(np.concatenate([np.full(50, -60.0), course]), -60))
    assert len(decays) == 1
    assert decays[0, 0] == pytest.approx(40, rel=0.1)


@pytest.mark.parametrize(("time_s", "level"), [(0.085, 0.5), (0.375, 0.35), (0.8, 0.5)])
def test_a_delay_is_heard_to_the_sample(time_s: float, level: float, tmp_path: Path) -> None:
    dry = bursts(3, 0.7, 0.25)
    by = round(time_s * RATE)
    wet = dry.copy()
    wet[by:] += level * dry[:-by]
    found = hear_delay(recording(tmp_path / "vocals.wav", wet))
    assert found is not None
    assert found.confidence > 0.9
    assert found.time_s == pytest.approx(time_s, abs=2e-4)
    none = hear_delay(recording(tmp_path / "dry.wav", dry))
    assert none is not None
    assert none.confidence < 0.1


def test_a_held_note_wanders_as_far_as_it_was_made_to() -> None:
    seconds = np.arange(1000) / 100
    wandering = 440 * 2 ** (20 * np.sqrt(2) * np.sin(2 * np.pi * 5 * seconds) / 1200)
    found = held_pitch_of(wandering.astype(np.float32))
    assert found is not None
    assert found.wander_cents == pytest.approx(20, rel=0.03)  # whole periods: the RMS of a sine
    still = held_pitch_of(np.full(1000, 440, np.float32))
    assert still is not None
    assert still.wander_cents == 0
    assert still.on_grid == pytest.approx(1)
