from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_resources.restoration.room import Room, room_of
from resonate_tests.benchmarks.damage.rooms import KINDS, small_room
from resonate_tests.resources.restoration.test_dereverb import RATE, syllables


@pytest.mark.parametrize("rt60_s", [0.4, 0.8, 1.2])
@pytest.mark.parametrize("kind", KINDS)
def test_the_room_of_a_voice_is_told_within_a_third(tmp_path: Path, kind: str, rt60_s: float) -> None:
    room = KINDS[kind](RATE, np.random.default_rng(1), rt60_s)
    early, late = room.parts(syllables(20, seed=2))

    told = room_of(write_samples(tmp_path / "in.wav", early + late, RATE))

    assert told is not None
    off = [seconds / room.rt60_s[round(hertz)] for hertz, seconds in told.rt60_s.items()]
    assert np.median(np.abs(np.log(off))) < np.log(4 / 3)


def test_what_is_dry_tells_no_room(tmp_path: Path) -> None:
    assert room_of(write_samples(tmp_path / "in.wav", syllables(20, seed=3), RATE)) is None


def test_an_instrument_that_rings_in_one_place_tells_no_room(tmp_path: Path) -> None:
    """Every burst dies away by itself, the same in both channels."""
    dry = syllables(20, seed=4)
    ringing = np.random.default_rng(5).standard_normal(RATE) * 10 ** (-3 * np.arange(RATE) / (0.6 * RATE))
    rung = np.convolve(dry[0], ringing)[: dry.shape[1]].astype(np.float32)
    assert room_of(write_samples(tmp_path / "in.wav", np.stack([rung, 0.7 * rung]) / 10, RATE)) is None


def test_one_channel_tells_no_room(tmp_path: Path) -> None:
    early, late = small_room(RATE, np.random.default_rng(6), 0.8).parts(syllables(20, seed=6))
    assert room_of(write_samples(tmp_path / "in.wav", (early + late)[:1], RATE)) is None


@pytest.mark.parametrize("frames", [1, 1000, 20 * RATE])
def test_silence_and_shreds_tell_no_room(tmp_path: Path, frames: int) -> None:
    assert room_of(write_samples(tmp_path / "in.wav", np.zeros((2, frames), np.float32), RATE)) is None


def test_a_room_is_as_sure_as_its_decays_are_diffuse(tmp_path: Path) -> None:
    early, late = small_room(RATE, np.random.default_rng(7), 0.6).parts(syllables(20, seed=7))
    told = room_of(write_samples(tmp_path / "in.wav", early + late, RATE))
    assert isinstance(told, Room)
    assert 0.6 <= told.confidence <= 1.0
