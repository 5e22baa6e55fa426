from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.colour import find_colour
from resonate_resources.restoration.step import Facts
from resonate_resources.restoration.tone import Tone, minimum_phase
from resonate_resources.signal.bandwidth import find_upper_edge, measure_line_levels
from resonate_resources.signal.traces import find_traces
from resonate_studio.demo_song import DemoSong, PhoneRecording
from resonate_tests.benchmarks.damage.distance import si_sdr_db, third_octaves_db

RATE = 44_100


def colour_of(recording: Recording) -> dict[float, float]:
    levels = measure_line_levels(recording.blocks(), recording.sample_rate)
    return find_colour(levels, recording.sample_rate, find_upper_edge(levels, recording.sample_rate))


def pulses(seconds: float = 10) -> Samples:
    """(1, frames): thumps of 50 to 100 Hz twice a second and pink noise up to 16 kHz that moves with them."""
    chance = np.random.default_rng(5)
    time = np.arange(round(seconds * RATE)) / RATE
    spectrum = np.fft.rfft(chance.standard_normal(len(time)))
    hertz = np.fft.rfftfreq(len(time), 1 / RATE)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 40.0)) * (hertz < 16_000), len(time))
    fall = np.exp(-8 * (time % 0.5))
    return (0.3 * fall * pink / pink.std())[None].astype(np.float32)


def on_phone(clean: Samples) -> Samples:
    """100 Hz to 8 kHz, as the demo song's phone has them."""
    return np.asarray(sosfilt(butter(4, (100, 8000), "bandpass", fs=RATE, output="sos"), clean), np.float32)


def test_the_lows_that_a_phone_took_come_back_in_time(tmp_path: Path) -> None:
    clean = pulses()
    damaged = on_phone(clean)
    recording = write_samples(tmp_path / "in.wav", damaged, RATE)
    facts = Facts("track", find_traces(recording), colour_db=colour_of(recording))

    after = Tone().mend(recording, facts, "balanced", tmp_path / "out.wav", silent).recording.read()

    truth, before_db, after_db = (third_octaves_db(each, RATE)[1:4] for each in (clean, damaged, after))
    assert np.all(np.abs(after_db - truth) < np.abs(before_db - truth))
    assert np.abs(after_db - before_db).max() <= 9.1
    assert si_sdr_db(after, clean) > si_sdr_db(damaged, clean)


def test_the_demo_song_s_phone_is_told_and_the_song_is_not(
    demo_song: DemoSong, phone_recording: PhoneRecording
) -> None:
    assert colour_of(demo_song.mix) == {}
    told = colour_of(phone_recording.mix)
    # A Butterworth high-pass of order 4 at 100 Hz: −16.4 dB at 62.5 Hz, −0.7 at 125.
    assert -18 < told[62.5] < -8
    assert -2 < told[125.0] < 0


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_the_gain_is_what_was_asked_and_nothing_comes_before_its_cause(rate: int) -> None:
    taps = minimum_phase({50.0: 9.0, 100.0: 3.0, 200.0: 0.0}, rate)

    half = len(taps) // 2
    assert not taps[:half].any()
    hertz = np.array([100.0, 200.0, 1000.0, 3000.0])
    gain = np.abs(np.exp(-2j * np.pi * np.outer(hertz, np.arange(len(taps))) / rate) @ taps)
    assert 20 * np.log10(gain) == pytest.approx([3.0, 0.0, 0.0, 0.0], abs=0.3)


@pytest.mark.parametrize("samples", [pulses(), np.zeros((2, 1), np.float32), np.zeros((1, RATE), np.float32)])
def test_what_has_no_colour_is_the_very_recording(tmp_path: Path, samples: Samples) -> None:
    recording = write_samples(tmp_path / "in.wav", samples, RATE)
    facts = Facts("track", find_traces(recording), colour_db=colour_of(recording))

    assert Tone().mend(recording, facts, "aggressive", tmp_path / "out.wav", silent).recording is recording


def test_a_dark_song_and_a_voice_without_lows_have_no_colour(tmp_path: Path) -> None:
    dark = sosfilt(butter(4, 8000, fs=RATE, output="sos"), pulses())
    thin = sosfilt(butter(8, (300, 8000), "bandpass", fs=RATE, output="sos"), pulses())
    for samples in (dark, thin):
        assert colour_of(write_samples(tmp_path / "in.wav", samples.astype(np.float32), RATE)) == {}
