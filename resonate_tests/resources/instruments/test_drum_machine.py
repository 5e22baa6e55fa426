"""Drum machines: what is known of the circuits of the TR-808 and TR-909."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import hilbert, welch

from resonate_resources.instruments.drum_machine import stroke

RATE = 48_000
MACHINES = ("808", "909")


def power_between(sound, low_hz, high_hz):
    hertz, power = welch(sound.mean(axis=0), RATE, nperseg=min(8192, sound.shape[1]))
    return power[(hertz >= low_hz) & (hertz < high_hz)].sum() / power.sum()


def hertz_at(sound, second):
    phase = np.unwrap(np.angle(hilbert(sound.mean(axis=0))))
    at, around = round(second * RATE), round(0.004 * RATE)
    return (phase[at + around] - phase[at - around]) / (2 * around) * RATE / (2 * np.pi)


def seconds_to_fall_by(sound, decibels):
    peaks = np.abs(sound).max(axis=0)
    return np.flatnonzero(peaks > peaks.max() * 10 ** (-decibels / 20))[-1] / RATE


@pytest.mark.parametrize("machine", MACHINES)
def test_a_kick_falls_in_pitch_and_settles_near_fifty_hertz(machine):
    kick = stroke(machine, 36, RATE)
    assert hertz_at(kick, 0.006) > 1.4 * hertz_at(kick, 0.15)
    assert hertz_at(kick, 0.15) == pytest.approx(50, abs=4)


def test_the_808_kick_rings_longer_and_the_909_kick_strikes_brighter():
    deep, hard = (stroke(machine, 36, RATE) for machine in MACHINES)
    assert seconds_to_fall_by(deep, 20) > 1.3 * seconds_to_fall_by(hard, 20)
    start = round(0.02 * RATE)
    assert power_between(hard[:, :start], 1500, 10_000) > 2 * power_between(deep[:, :start], 1500, 10_000)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("key", [42, 44, 46])
def test_hi_hats_lie_over_six_kilohertz(machine, key):
    assert power_between(stroke(machine, key, RATE), 6000, 20_000) > 0.95


@pytest.mark.parametrize("machine", MACHINES)
def test_an_open_hi_hat_rings_four_times_as_long_as_a_closed_one(machine):
    closed, opened = (seconds_to_fall_by(stroke(machine, key, RATE), 30) for key in (42, 46))
    assert opened > 4 * closed


def test_the_cowbell_has_the_pitches_540_and_800_hertz():
    bell = stroke("808", 56, RATE).mean(axis=0)
    hertz = np.fft.rfftfreq(bell.size, 1 / RATE)
    spectrum = np.abs(np.fft.rfft(bell * np.hanning(bell.size)))
    strongest = hertz[np.argsort(spectrum)[::-1][:40]]
    for pitch in (540, 800):
        assert np.abs(strongest - pitch).min() < 5


@pytest.mark.parametrize("machine", MACHINES)
def test_a_clap_is_several_strokes_some_ten_milliseconds_apart(machine):
    clap = np.abs(stroke(machine, 39, RATE).mean(axis=0))
    steps = clap[: round(0.04 * RATE) // 96 * 96].reshape(-1, 96).max(axis=1)  # of 2 ms
    rises = np.flatnonzero(steps[1:] > 2.2 * steps[:-1]) * 0.002
    assert len(rises) >= 2
    assert np.diff(rises).min() > 0.007


@pytest.mark.parametrize("machine", MACHINES)
def test_toms_go_from_low_to_high(machine):
    pitches = [hertz_at(stroke(machine, key, RATE), 0.15) for key in (41, 45, 48)]
    assert pitches == sorted(pitches)
    assert 75 < pitches[0] < pitches[2] < 225  # 80 to 220 Hz in the TR-808's service notes


@pytest.mark.parametrize("machine", MACHINES)
def test_every_percussion_key_of_general_midi_has_a_sound_that_begins_and_ends_without_a_click(machine):
    for key in range(27, 88):
        sound = stroke(machine, key, RATE)
        assert 0.1 < np.abs(sound).max() < 1.5, key
        assert np.abs(sound[:, -1]).max() < 1e-3, key


def test_a_stroke_is_always_the_same():
    assert np.array_equal(stroke("909", 49, RATE), stroke("909", 49, RATE))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("tonic", range(12))
def test_a_kick_rings_on_the_key_s_tonic_or_fifth(machine, tonic):
    """In equal temperament at 440 Hz, within 35 cents: its tail is short."""
    kick = stroke(machine, 36, RATE, tonic)
    semitones = 69 + 12 * np.log2(hertz_at(kick, 0.15) / 440)
    off = [(semitones - tonic - over + 6) % 12 - 6 for over in (0, 7)]
    assert min(map(abs, off)) < 0.35
