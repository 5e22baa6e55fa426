from __future__ import annotations

from pathlib import Path

import mir_eval
import numpy as np
import pytest

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.transcription.drum_bands import DrumBands
from resonate_studio.demo_song import DemoSong

RATE = 44100
# General MIDI percussion: what counts as each of the three drums that are told apart.
KICK, SNARE, HI_HAT = (36,), (38,), (42, 46)


def burst(low_hz: float, high_hz: float, seconds: float, seed: int = 0) -> Samples:
    """Noise of one band that dies away, (frames,)."""
    from scipy.signal import butter, sosfilt

    noise = np.random.default_rng(seed).standard_normal(round(4 * seconds * RATE))
    band = sosfilt(butter(4, (low_hz, high_hz), "bandpass", fs=RATE, output="sos"), noise)
    decay = np.exp(-np.arange(len(noise)) / (seconds * RATE))
    return (band * decay / np.abs(band).max()).astype(np.float32)


def strokes(audio: Samples, path: Path, sample_rate: int = RATE) -> list[Note]:
    return DrumBands().strokes(write_samples(path / "drums.wav", audio, sample_rate))


@pytest.mark.parametrize("keys", [KICK, SNARE, HI_HAT])
def test_each_drum_of_the_demo_is_heard_where_it_was_struck(
    keys: tuple[int, ...], demo_song: DemoSong
) -> None:
    struck = np.array([note.onset_s for note in demo_song.composition.notes["drums"] if note.pitch in keys])
    heard = np.array(
        [note.onset_s for note in DrumBands().strokes(demo_song.stems["drums"]) if note.pitch in keys]
    )
    f_measure, _, _ = mir_eval.onset.f_measure(struck, heard, window=0.05)
    assert f_measure >= 0.8
    matches = mir_eval.util.match_events(struck, heard, 0.05)
    late = [heard[theirs] - struck[ours] for ours, theirs in matches]
    assert abs(np.median(late)) <= 0.01
    assert np.percentile(np.abs(late), 90) <= 0.02


def test_onsets_are_right_to_ten_milliseconds(tmp_path: Path) -> None:
    times = [0.0, 0.5, 1.0, 1.37, 2.0]
    audio = np.zeros((1, 3 * RATE), np.float32)
    for time in times:
        hit = 0.5 * burst(7500, 15000, 0.03)
        audio[0, round(time * RATE) :][: len(hit)] += hit
    heard = [note.onset_s for note in strokes(audio, tmp_path) if note.pitch == 42]
    np.testing.assert_allclose(heard, times, atol=0.01)


def test_a_softer_stroke_has_the_velocity_of_its_level(tmp_path: Path) -> None:
    audio = np.zeros((1, 2 * RATE), np.float32)
    hit = burst(7500, 15000, 0.03)
    for time, level_db in ((0.5, 0.0), (1.5, -12.0)):
        audio[0, round(time * RATE) :][: len(hit)] += 0.5 * hit * np.float32(10 ** (level_db / 20))
    loud, soft = (note.velocity for note in strokes(audio, tmp_path) if note.pitch == 42)
    # Downloadable Sounds: the level of a velocity is 40·log10(velocity/127) dB.
    assert loud == 127
    assert 40 * np.log10(soft / loud) == pytest.approx(-12, abs=1)


def test_strokes_of_a_low_rate_recording_are_heard(tmp_path: Path) -> None:
    audio = np.zeros((1, 2 * 8000), np.float32)
    for start in (4000, 12000):
        audio[0, start : start + 2000] = (
            0.5 * np.sin(2 * np.pi * 60 * np.arange(2000) / 8000) * np.exp(-np.arange(2000) / 800)
        )
    heard = [note.onset_s for note in strokes(audio, tmp_path, 8000) if note.pitch == 36]
    np.testing.assert_allclose(heard, [0.5, 1.5], atol=0.02)


@pytest.mark.parametrize("frames", [0, 1, RATE])
def test_silence_has_no_strokes(frames: int, tmp_path: Path) -> None:
    assert strokes(np.zeros((2, frames), np.float32), tmp_path) == []


def test_a_held_tone_is_no_stroke_after_it_began(tmp_path: Path) -> None:
    audio = 0.3 * np.sin(2 * np.pi * 60 * np.arange(4 * RATE) / RATE)[np.newaxis].astype(np.float32)
    assert all(note.onset_s < 0.1 for note in strokes(audio, tmp_path) if note.onset_s < 3.9)
