from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Protocol

import mir_eval
import numpy as np
import pytest

from resonate_resources.profiling.bars import bar_fits, find_bars, weights
from resonate_resources.profiling.beat_network import hear_beats
from resonate_resources.profiling.beat_path import beat_path
from resonate_resources.profiling.beats import Beats, find_beats, tempo_of_beats
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_studio.demo_song import DemoSong, PhoneRecording
from resonate_tests.benchmarks.fit_beats import RATE, Doubles, played

WITHIN_S = 0.05


class Find(Protocol):
    def __call__(self, samples: Samples, tempo_bpm: float | None = None) -> Beats: ...


@pytest.fixture
def found(tmp_path: Path) -> Find:
    def find(samples: Samples, tempo_bpm: float | None = None) -> Beats:
        recording = write_samples(tmp_path / "track.wav", samples, RATE)
        return find_beats(hear_beats(recording), recording.duration, tempo_bpm=tempo_bpm)

    return find


def clicks(beats: Doubles, seconds: float) -> Samples:
    return played([(beat, "click") for beat in beats.tolist()], seconds)


def band(beats: Doubles, seconds: float, per_bar: int = 4) -> Samples:
    """Kick on one (in four also on three), snare on the others, hats on eighths, a bass note that changes by
    the bar."""
    strokes = [(beat, "hat") for beat in beats.tolist()]
    strokes += [((one + two) / 2, "hat") for one, two in pairwise(beats.tolist())]
    for number, beat in enumerate(beats.tolist()):
        place = number % per_bar
        strokes.append((beat, "kick" if place == 0 or (per_bar == 4 and place == 2) else "snare"))
    samples = played(strokes, seconds)
    time = np.arange(samples.shape[1]) / RATE
    bars = [*beats[::per_bar].tolist(), seconds]
    for number, (start, end) in enumerate(pairwise(bars)):
        sounds = (time >= start) & (time < end)
        since = time[sounds] - start
        root = (55.0, 65.4, 49.0, 73.4)[number % 4]
        tones = sum(np.sin(2 * np.pi * root * partial * since) / partial for partial in (1, 2, 4, 5, 6))
        samples[0, sounds] += (0.12 * np.exp(-since) * tones).astype(np.float32)
    return samples


def steady(tempo_bpm: float, seconds: float, first_s: float = 0.0) -> Doubles:
    return np.arange(first_s, seconds - 0.1, 60 / tempo_bpm)


def quiet_sounds() -> dict[str, Samples]:
    """Twenty seconds in which nobody beats time."""
    rng = np.random.default_rng(0)
    time = np.arange(20 * RATE) / RATE
    chord = sum(
        0.08 * np.sin(2 * np.pi * hertz * partial * time + partial) / partial
        for hertz in (130.8, 164.8, 196.0)
        for partial in range(1, 6)
    )
    wind = np.cumsum(rng.normal(size=len(time)))
    wind -= np.convolve(wind, np.full(2000, 1 / 2000), "same")
    sounds = {
        "silence": np.zeros_like(time),
        "a steady chord": chord,
        "hum": sum(0.2 * np.sin(2 * np.pi * 50 * partial * time) / partial for partial in (1, 2, 3)),
        "a sine": 0.5 * np.sin(2 * np.pi * 440 * time),
        "noise": 0.1 * rng.normal(size=len(time)),
        "ambience": 0.1 * wind / np.abs(wind).max(),
    }
    return {name: sound.astype(np.float32)[np.newaxis] for name, sound in sounds.items()} | {
        "one click": clicks(np.array([7.3]), 20.0)
    }


@pytest.mark.parametrize(
    "sound", ["silence", "a steady chord", "hum", "a sine", "noise", "ambience", "one click"]
)
def test_nothing_that_beats_has_no_beat_and_no_tempo(sound: str, found: Find) -> None:
    beats = found(quiet_sounds()[sound])
    assert (beats.tempo_bpm, beats.beats_s, beats.downbeats_s) == (None, (), ())
    assert (beats.tempo_confidence, beats.beats_confidence) == (0, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clicks_at_chance_times_have_no_tempo_that_is_sure(seed: int, found: Find) -> None:
    """Four a second on average, none nearer than 80 ms to the one before: about as dense as syllables."""
    gaps = 0.08 + np.random.default_rng(seed).exponential(0.17, 80)
    beats = found(clicks(np.cumsum(gaps)[np.cumsum(gaps) < 19], 20.0))
    assert beats.tempo_confidence < 0.5
    assert beats.beats_confidence < 0.5


@pytest.mark.parametrize("tempo_bpm", [30, 45, 174, 300])
def test_clicks_have_their_tempo_or_half_or_double_with_the_other_second(
    tempo_bpm: float, found: Find
) -> None:
    beats = found(clicks(steady(tempo_bpm, 24.0), 24.0))
    named = {beats.tempo_bpm: beats.tempo_confidence, beats.second_tempo_bpm: beats.second_tempo_confidence}
    right = [sure for tempo, sure in named.items() if tempo and abs(tempo / tempo_bpm - 1) < 0.02]
    assert right, named
    assert right[0] >= 0.1


@pytest.mark.parametrize("tempo_bpm", [30, 75, 120, 174])
def test_clicks_that_are_all_alike_have_no_bars(tempo_bpm: float, found: Find) -> None:
    beats = found(clicks(steady(tempo_bpm, 24.0), 24.0))
    assert beats.beats_s
    assert (beats.downbeats_s, beats.time_signatures) == ((), ())
    assert (beats.downbeats_confidence, beats.metre_confidence) == (0, 0)


@pytest.mark.parametrize("tempo_bpm", [80.0, 82.5, 85.0, 90.0, 120.0, 174.0])
def test_a_band_is_heard_at_its_tempo(tempo_bpm: float, found: Find) -> None:
    truth = steady(tempo_bpm, 24.0)
    beats = found(band(truth, 24.0))
    assert beats.tempo_bpm == pytest.approx(tempo_bpm, rel=0.02)
    assert mir_eval.beat.f_measure(truth, np.array(beats.beats_s)) >= 0.95


@pytest.mark.parametrize(("tempo_bpm", "per_bar"), [(95.0, 3), (140.0, 3), (110.0, 4)])
def test_bars_of_a_band_are_found(tempo_bpm: float, per_bar: int, found: Find) -> None:
    truth = steady(tempo_bpm, 40.0, 0.4)
    beats = found(band(truth, 40.0, per_bar))
    assert {(one.numerator, one.denominator) for one in beats.time_signatures} == {(per_bar, 4)}
    assert mir_eval.beat.f_measure(truth[::per_bar], np.array(beats.downbeats_s)) >= 0.9


def ramp() -> Doubles:
    """From 100 to 140 BPM in 20 s, then on for ten: where the integral of tempo is whole."""
    time = np.arange(0, 30, 0.0005)
    beats = np.cumsum(np.minimum(100 + 2 * time, 140)) * 0.0005 / 60
    return np.interp(np.arange(0, beats[-1]), beats, time)


def step() -> Doubles:
    return np.concatenate([steady(90.0, 15.0), np.arange(15.0, 29.8, 60 / 128)])


@pytest.mark.parametrize("truth", [ramp(), step()], ids=["ramp", "step"])
def test_every_beat_of_a_tempo_that_changes_is_followed(truth: Doubles, found: Find) -> None:
    beats = found(band(truth, 30.0))
    told = np.array(beats.beats_s)
    assert max(np.abs(told - beat).min() for beat in truth[:-1]) <= WITHIN_S
    assert beats.tempo_curve[0].bpm == pytest.approx(60 / np.diff(truth[:5]).mean(), rel=0.05)
    assert beats.tempo_curve[-1].bpm == pytest.approx(60 / np.diff(truth[-5:]).mean(), rel=0.05)


@pytest.mark.parametrize("tempo_bpm", [92.0])
def test_what_is_played_off_the_beat_for_a_while_does_not_move_it(tempo_bpm: float, found: Find) -> None:
    truth = steady(tempo_bpm, 45.0)
    samples = band(truth, 45.0)
    off = (truth[:-1] + np.diff(truth) / 2).tolist()
    between = slice(round(truth[24] * RATE) - 500, round(truth[48] * RATE) - 500)  # six bars
    samples[:, between] = played([(beat, "snare") for beat in off], 45.0)[:, between]
    assert mir_eval.beat.f_measure(truth, np.array(found(samples).beats_s)) >= 0.95


@pytest.mark.parametrize("sound", ["silence", "ambience"])
def test_there_are_no_beats_before_the_music_begins(sound: str, found: Find) -> None:
    before = quiet_sounds()[sound][:, : 10 * RATE]
    beats = found(np.concatenate([before, band(steady(120.0, 20.0), 20.0)], axis=1))
    assert beats.beats_s[0] == pytest.approx(10.0, abs=WITHIN_S)
    assert mir_eval.beat.f_measure(10 + steady(120.0, 20.0), np.array(beats.beats_s)) >= 0.95


def test_a_tempo_that_is_known_counts(found: Find) -> None:
    beats = found(band(steady(120.0, 24.0), 24.0), tempo_bpm=60.0)
    assert beats.tempo_bpm == 60.0
    assert np.median(np.diff(beats.beats_s)) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("swing", [0.5, 2 / 3])
def test_swing_is_where_the_second_eighth_begins(swing: float, found: Find) -> None:
    truth = steady(120.0, 24.0)
    strokes = [(beat, ("kick", "snare")[number % 2]) for number, beat in enumerate(truth.tolist())]
    strokes += [(beat + place, "hat") for beat in truth.tolist() for place in (0.0, 0.5 * swing)]
    assert found(played(strokes, 24.0)).swing == pytest.approx(swing, abs=0.03)


@pytest.mark.parametrize("source", ["mix", "phone"])
def test_beats_of_the_demo_are_where_they_were_composed(
    source: str, demo_song: DemoSong, phone_recording: PhoneRecording
) -> None:
    recording = demo_song.mix if source == "mix" else phone_recording.mix
    beats = find_beats(hear_beats(recording), recording.duration)
    assert beats.tempo_bpm == pytest.approx(demo_song.composition.tempo_bpm, abs=1)
    truth = np.array(demo_song.composition.beats)
    assert mir_eval.beat.f_measure(truth, np.array(beats.beats_s)) >= 0.9
    assert mir_eval.beat.f_measure(truth[::4], np.array(beats.downbeats_s)) >= 0.8


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_a_moment_has_no_beat(frames: int, found: Find) -> None:
    assert found(np.zeros((1, frames * 100), np.float32)).beats_s == ()


def test_a_silence_within_a_song_has_no_beats_and_the_song_goes_on(found: Find) -> None:
    samples = band(steady(110.0, 50.0), 50.0)
    samples[:, 20 * RATE : 32 * RATE] = 0
    beats = np.array(found(samples).beats_s)
    assert not ((beats > 22.5) & (beats < 29.5)).any()
    sounding = [beat for beat in steady(110.0, 50.0) if not 20 <= beat < 32]
    assert max(np.abs(beats - beat).min() for beat in sounding[:-1]) <= WITHIN_S


def test_bars_of_many_pulses_fit_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    pulses = [rng.random((count, 14), np.float32) for count in (7, 31, 12)]
    places = weights()["places"]
    alone = [find_bars(features, places).fit for features in pulses]
    np.testing.assert_allclose(bar_fits(pulses, places), alone)


def test_no_path_is_better_than_the_one_found() -> None:
    """On evidence so short that every sequence of equal steps can be tried."""
    nats = np.random.default_rng(3).normal(-2, 3, 220)
    _, total = beat_path(nats, 100.0, 200.0)
    best = 0.0
    for interval in range(30, 61):
        for first in range(len(nats)):
            beats = np.arange(first, len(nats), interval)
            for count in range(2, len(beats) + 1):
                haste = 0.5 * max(0.0, np.log2(6000 / interval / 140))
                worth = np.maximum(nats[beats[:count]], -3).sum() - (count - 1) * (0.5 + haste) - 8
                best = max(best, worth)
    assert total >= best - 1e-9
    assert best > 0


def test_the_tempo_of_beats_is_their_rate() -> None:
    assert tempo_of_beats(np.arange(100) * 0.5) == pytest.approx(120)
    assert tempo_of_beats(np.arange(3) * 0.5) is None


@pytest.mark.parametrize(("first_bpm", "then_bpm"), [(128.0, 90.0), (90.0, 128.0)])
def test_where_the_tempo_steps_there_is_one_beat(first_bpm: float, then_bpm: float, found: Find) -> None:
    first = steady(first_bpm, 20.0)
    truth = np.concatenate([first, steady(then_bpm, 40.0, float(first[-1]) + 60 / first_bpm)])
    beats = np.array(found(band(truth, 40.0)).beats_s)
    assert np.diff(beats).min() > 0.9 * 60 / max(first_bpm, then_bpm)
    assert mir_eval.beat.f_measure(truth, beats) >= 0.95
