from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.transcription.drum_strokes import DrumStrokes
from resonate_studio.demo_song import DemoSong

RATE = 44100
# General MIDI percussion: what counts as each of the three drums that the demo has.
KICK, SNARE, HI_HAT = (36,), (38,), (42, 46)


def strokes(audio: Samples, path: Path, sample_rate: int = RATE) -> list[Note]:
    return DrumStrokes().strokes(write_samples(path / "drums.wav", audio, sample_rate))


def kick() -> Samples:
    """As of a drum machine: a sine that falls from 170 to 50 Hz, (frames,)."""
    time = np.arange(round(0.4 * RATE)) / RATE
    phase = 2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.033)))
    return (0.8 * np.sin(phase) * np.exp(-time / 0.12)).astype(np.float32)


def kicks(times: list[float], levels_db: list[float], seconds: float) -> Samples:
    audio = np.zeros((1, round(seconds * RATE)), np.float32)
    for time, level_db in zip(times, levels_db, strict=True):
        audio[0, round(time * RATE) :][: len(kick())] += kick() * np.float32(10 ** (level_db / 20))
    return audio


@pytest.mark.parametrize("keys", [KICK, SNARE, HI_HAT])
def test_each_drum_of_the_demo_is_heard_where_it_was_struck(
    keys: tuple[int, ...], demo_song: DemoSong
) -> None:
    struck = np.array([note.onset_s for note in demo_song.composition.notes["drums"] if note.pitch in keys])
    heard = np.array(
        [note.onset_s for note in DrumStrokes().strokes(demo_song.stems["drums"]) if note.pitch in keys]
    )
    f_measure, _, _ = mir_eval.onset.f_measure(struck, heard, window=0.05)
    assert f_measure >= 0.8
    matches = mir_eval.util.match_events(struck, heard, 0.05)
    late = [heard[theirs] - struck[ours] for ours, theirs in matches]
    assert abs(np.median(late)) <= 0.01
    assert np.percentile(np.abs(late), 90) <= 0.02


def test_onsets_are_right_to_twenty_milliseconds(tmp_path: Path) -> None:
    times = [0.5, 1.0, 1.37, 2.0, 2.5]
    heard = [n.onset_s for n in strokes(kicks(times, [0.0] * 5, 3), tmp_path) if n.pitch == 36]
    np.testing.assert_allclose(heard, times, atol=0.02)


def test_a_softer_stroke_has_the_velocity_of_its_level(tmp_path: Path) -> None:
    audio = kicks([0.5, 1.0, 1.5, 2.0, 2.5], [0.0, 0.0, -12.0, 0.0, 0.0], 3)
    loud, _, soft, *_ = (note.velocity for note in strokes(audio, tmp_path) if note.pitch == 36)
    # Downloadable Sounds: the level of a velocity is 40·log10(velocity/127) dB.
    assert 40 * np.log10(soft / loud) == pytest.approx(-12, abs=1)


def test_what_leaks_in_far_below_the_others_is_no_loud_stroke(demo_song: DemoSong, tmp_path: Path) -> None:
    """Hats that are 30 dB softer than they were beside the kick come out soft, or not at all."""
    from scipy.signal import butter, sosfilt

    drums = demo_song.stems["drums"].read(0, 20 * RATE)
    low, high = (
        sosfilt(butter(4, 400, kind, fs=RATE, output="sos"), drums).astype(np.float32)
        for kind in ("low", "high")
    )
    as_was = [n.velocity for n in strokes(low + high, tmp_path) if n.pitch in HI_HAT]
    leaked = [
        n.velocity for n in strokes(low + high * np.float32(10 ** (-30 / 20)), tmp_path) if n.pitch in HI_HAT
    ]
    assert np.median(as_was) > 60
    assert not leaked or np.median(leaked) < 40


@pytest.mark.parametrize("frames", [0, 1, RATE])
def test_silence_has_no_strokes(frames: int, tmp_path: Path) -> None:
    assert strokes(np.zeros((2, frames), np.float32), tmp_path) == []


def test_one_click_is_no_drum(tmp_path: Path) -> None:
    audio = np.zeros((1, 4 * RATE), np.float32)
    audio[0, 2 * RATE : 2 * RATE + 20] = 0.9
    assert strokes(audio, tmp_path) == []


def test_a_tone_that_is_held_is_no_stroke(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    audio = (0.3 * np.sin(2 * np.pi * 60 * time))[np.newaxis].astype(np.float32)
    assert strokes(audio, tmp_path) == []


def machine_beat(seconds: float) -> tuple[Samples, list[float]]:
    """A drum machine at 124 BPM, and when its kick is struck: closed hats on all sixteenths, gone after 20 ms."""
    from scipy.signal import butter, sosfilt

    beat_s = 60 / 124
    times = np.arange(0.2, seconds - 0.5, beat_s).tolist()
    audio = kicks(times, [0.0] * len(times), seconds)
    noise = np.random.default_rng(0).standard_normal(round(0.02 * RATE)) * np.exp(
        -np.arange(round(0.02 * RATE)) / (0.004 * RATE)
    )
    hat = sosfilt(butter(4, 7000, "high", fs=RATE, output="sos"), noise).astype(np.float32)
    for sixteenth in np.arange(0.2, seconds - 0.5, beat_s / 4).tolist():
        audio[0, round(sixteenth * RATE) :][: len(hat)] += np.float32(0.3) * hat
    return audio, times


def test_a_drum_machine_whose_hats_are_gone_at_once_is_heard(tmp_path: Path) -> None:
    """Most of its strokes are hats: what they leave 30 ms later is what the last kick leaves, which falls."""
    audio, times = machine_beat(12)
    heard = strokes(audio, tmp_path)
    struck = np.array([note.onset_s for note in heard if note.pitch == 36])
    assert mir_eval.onset.f_measure(np.array(times), struck, window=0.05)[0] >= 0.9
    assert sum(note.pitch in HI_HAT for note in heard) > 1.5 * len(times)


def test_few_strokes_at_odd_times_are_heard(tmp_path: Path) -> None:
    """Of so few it can't be told whether they keep time."""
    times = [0.4, 3.17, 7.9, 9.03]
    heard = [note.onset_s for note in strokes(kicks(times, [0.0] * 4, 11), tmp_path) if note.pitch == 36]
    np.testing.assert_allclose(heard, times, atol=0.02)


def rain(rng: np.random.Generator, frames: int) -> Samples:
    """80 drops a second over a hiss: each a click, and the bubble behind it that rings for some ms."""
    fallen = 0.02 * rng.standard_normal(frames)
    time = np.arange(round(0.04 * RATE)) / RATE
    for start in rng.integers(frames - len(time), size=80 * frames // RATE):
        drop = np.sin(2 * np.pi * rng.uniform(1000, 9000) * time) * np.exp(-time / rng.uniform(0.001, 0.008))
        drop[:30] += 0.5 * rng.standard_normal(30)
        fallen[start : start + len(time)] += 10 ** (rng.normal(-18, 6) / 20) * drop
    return fallen.astype(np.float32)


def applause(rng: np.random.Generator, frames: int) -> Samples:
    """60 people, each clapping three to six times a second, in a hall."""
    from scipy.signal import fftconvolve

    clapped = np.zeros(frames)
    time = np.arange(round(0.03 * RATE)) / RATE
    for _ in range(60):
        apart_s, gain = rng.uniform(0.18, 0.35), 10 ** (rng.normal(-10, 6) / 20)
        at = rng.uniform(0, apart_s)
        while at < frames / RATE - 0.1:
            clapped[round(at * RATE) :][: len(time)] += (
                gain * rng.standard_normal(len(time)) * np.exp(-time / 0.005)
            )
            at += apart_s * rng.normal(1, 0.06)
    hall = 0.02 * rng.standard_normal(RATE // 2) * np.exp(-6.9 * np.arange(RATE // 2) / (RATE // 2))
    hall[0] = 1
    return np.asarray(fftconvolve(clapped, hall)[:frames], np.float32)


def fire(rng: np.random.Generator, frames: int) -> Samples:
    """A low roar, 25 crackles a second, and four times a second a bang that rings."""
    burning = 0.003 * np.cumsum(rng.standard_normal(frames)) / np.sqrt(RATE) + 0.003 * rng.standard_normal(
        frames
    )
    for start in rng.integers(frames - 50, size=25 * frames // RATE):
        burning[start : start + 30] += (
            rng.normal(0, 0.2) * np.exp(-np.arange(30) / 5) * rng.standard_normal(30)
        )
    time = np.arange(round(0.05 * RATE)) / RATE
    for start in rng.integers(frames - len(time), size=4 * frames // RATE):
        bang = np.sin(2 * np.pi * rng.uniform(200, 900) * time) * np.exp(-time / 0.006)
        burning[start : start + len(time)] += rng.uniform(0.2, 0.8) * bang
    return np.asarray(burning, np.float32)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("sound", [rain, applause, fire])
def test_what_falls_claps_and_bangs_at_no_time_of_its_own_is_no_drum(
    sound: Callable[[np.random.Generator, int], Samples], seed: int, tmp_path: Path
) -> None:
    heard = sound(np.random.default_rng(seed), 10 * RATE)
    assert strokes(0.7 * heard[np.newaxis] / np.abs(heard).max(), tmp_path) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_and_the_crackle_of_a_record_are_no_drums(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    frames = 10 * RATE
    white = np.fft.rfft(rng.standard_normal(frames))
    pink = np.fft.irfft(white / np.sqrt(np.arange(1, len(white) + 1)))
    pink /= pink.std()
    crackle = 0.002 * pink
    for start in rng.integers(frames - 50, size=120):
        crackle[start : start + 30] += (
            rng.normal(0, 0.2) * np.exp(-np.arange(30) / 6) * rng.standard_normal(30)
        )
    for name, samples in (("pink", 0.1 * pink), ("crackle", crackle)):
        (tmp_path / name).mkdir()
        assert strokes(samples[np.newaxis].astype(np.float32), tmp_path / name) == [], name


def test_the_clicks_of_a_metronome_are_no_drums(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    assert strokes(np.where(time % 0.5 < 0.001, 0.8, 0.0)[np.newaxis].astype(np.float32), tmp_path) == []


@pytest.mark.parametrize("stem", ["vocals", "other", "bass"])
def test_what_sings_or_is_plucked_has_no_strokes(stem: str, demo_song: DemoSong) -> None:
    """The demo's instruments are none that the network was fitted on."""
    assert DrumStrokes().strokes(demo_song.stems[stem]) == []
