"""Rooms and delays that are known, because they were made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.analysis.delay import hear_delay
from resonate_resources.analysis.robotic import held_pitch_of
from resonate_resources.analysis.space import hear_space
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.decays import find_decays

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
    """In a diffuse room, (2, frames): its responses, one a channel, are noise that falls by 60 dB in rt60_s."""
    from scipy.signal import oaconvolve

    seconds = np.arange(round(1.3 * rt60_s * RATE)) / RATE
    response = np.random.default_rng(seed).standard_normal((2, len(seconds))) * 10 ** (-3 * seconds / rt60_s)
    response /= np.sqrt(np.square(response).sum(axis=1, keepdims=True))
    return dry + oaconvolve(dry[None], response, axes=1)[:, : len(dry)]


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


@pytest.mark.parametrize("pan", [0.5, 0.1])
def test_noises_that_die_away_by_themselves_are_no_room_wherever_they_are(pan: float, tmp_path: Path) -> None:
    """Straight decays of 0.6 s in every octave, and both stems agree; but both channels have the same."""
    noise = np.random.default_rng(8).standard_normal(len(TIME)) * 10 ** (-3 * (TIME % 1.1) / 0.6)
    stem = recording(tmp_path / "drums.wav", 0.3 * np.stack([(1 - pan) * noise, pan * noise]))
    assert hear_space({"drums": stem, "other": stem}).confidence == 0


def test_one_channel_does_not_tell_its_room(tmp_path: Path) -> None:
    wet = in_room(bursts(1, 1.1, 0.05), 0.8, 5)
    assert hear_space({"drums": recording(tmp_path / "stereo.wav", wet)}).confidence > 0.5
    found = hear_space({"drums": recording(tmp_path / "mono.wav", wet[0])})
    assert found.confidence == 0
    assert set(found.rt60_s.values()) == {None}


def test_silence_and_a_click_have_no_room(tmp_path: Path) -> None:
    click = np.zeros((2, RATE))
    click[:, 100] = 1
    for name, wave in (("silence", np.zeros((2, RATE))), ("click", click), ("short", click[:, :200])):
        assert hear_space({"drums": recording(tmp_path / f"{name}.wav", wave)}).confidence == 0


def test_a_decay_with_two_slopes_is_told_by_its_second() -> None:
    seconds = np.arange(200) / 100
    course = 10 * np.log10(10 ** (-200 * seconds / 10) + 10 ** ((-12 - 40 * seconds) / 10))
    decays = find_decays(np.maximum(np.concatenate([np.full(50, -60.0), course]), -60))
    assert len(decays) == 1
    assert decays[0].rate_db_s == pytest.approx(40, rel=0.1)


@pytest.mark.parametrize(("time_s", "level"), [(0.085, 0.5), (0.375, 0.35), (0.8, 0.5)])
def test_a_delay_is_heard_to_the_sample(time_s: float, level: float, tmp_path: Path) -> None:
    dry = bursts(3, 0.7, 0.25)
    by = round(time_s * RATE)
    wet = dry.copy()
    wet[by:] += level * dry[:-by]
    found = hear_delay(recording(tmp_path / "vocals.wav", wet))
    assert found is not None
    assert found.confidence > 0.5
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
