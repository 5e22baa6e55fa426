from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Samples
from resonate_studio.demo_song import DemoSong, PhoneRecording
from resonate_studio.demo_song.phone import BIT_RATE, RT60_S, SNR_DB, _noise, _room_response, _through_codec

RATE = 44_100


@pytest.fixture(scope="module")
def recorded(phone_recording: PhoneRecording) -> Samples:
    return phone_recording.mix.read()


@pytest.fixture(scope="module")
def clean(phone_recording: PhoneRecording) -> Samples:
    return np.sum([stem.read() for stem in phone_recording.stems.values()], axis=0, dtype=np.float32)


def power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def test_recording_and_stems_are_as_long_as_the_song(
    phone_recording: PhoneRecording, demo_song: DemoSong
) -> None:
    for recording in (phone_recording.mix, *phone_recording.stems.values()):
        assert (recording.frames, recording.sample_rate, recording.channels) == (
            demo_song.mix.frames,
            RATE,
            2,
        )
    assert list(phone_recording.stems) == list(demo_song.stems)


def test_the_codec_shifts_nothing(recorded: Samples, clean: Samples) -> None:
    here = slice(20 * RATE, 20 * RATE + (1 << 17))
    spectrum = np.fft.rfft(recorded[0, here], 1 << 18) * np.conj(np.fft.rfft(clean[0, here], 1 << 18))
    assert np.argmax(np.fft.irfft(spectrum)) == 0


def test_the_stems_are_the_truth_of_the_recording(recorded: Samples, clean: Samples) -> None:
    # What separates them is noise and codec alone.
    assert 10 * np.log10(power(clean) / power(recorded - clean)) > 15


def test_the_band_of_a_small_microphone_is_left(clean: Samples, demo_song: DemoSong) -> None:
    frequencies = np.fft.rfftfreq(1 << 20, 1 / RATE)

    def level(samples: Samples, low: float, high: float) -> float:
        spectrum = np.fft.rfft(samples.mean(axis=0)[10 * RATE :][: 1 << 20])
        return float(
            10 * np.log10(np.sum(np.abs(spectrum[(frequencies >= low) & (frequencies < high)]) ** 2))
        )

    song = demo_song.mix.read()
    loss = {
        centre: level(song, centre * 0.95, centre * 1.05) - level(clean, centre * 0.95, centre * 1.05)
        for centre in (50, 1000, 16_000)
    }
    # A Butterworth filter of order 4 loses 24 dB an octave outside its band: 10·log10(1 + 2⁸).
    assert loss[50] - loss[1000] > 20
    assert loss[16_000] - loss[1000] > 20


def test_the_image_is_narrower_than_the_songs(recorded: Samples, demo_song: DemoSong) -> None:
    def width(samples: Samples) -> float:
        return power(samples[0] - samples[1]) / power(samples[0] + samples[1])

    assert width(recorded) < 0.5 * width(demo_song.mix.read())


def test_the_room_decays_by_sixty_decibels_in_its_reverberation_time() -> None:
    # Schroeder's backward integration, −5 to −25 dB extrapolated (ISO 3382-2, T20).
    for echoes in _room_response(RATE)[:, 1:]:
        decay = 10 * np.log10(
            np.cumsum(echoes[::-1].astype(np.float64) ** 2)[::-1] / np.sum(echoes**2) + 1e-12
        )
        fifth, twenty_fifth = np.argmax(decay < -5), np.argmax(decay < -25)
        assert 3 * (twenty_fifth - fifth) / RATE == pytest.approx(RT60_S, rel=0.1)


def test_noise_lies_as_far_under_the_music_as_stated() -> None:
    music = np.random.default_rng(0).standard_normal((2, RATE)).astype(np.float32)
    assert 10 * np.log10(power(music) / power(_noise(music, RATE))) == pytest.approx(SNR_DB, abs=0.1)


def test_the_codec_keeps_length_whatever_it_is() -> None:
    for frames in (1, 1023, 1024, 30_001):
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(frames) / RATE)
        assert _through_codec(np.stack([tone, tone]).astype(np.float32), RATE).shape == (2, frames)
    assert BIT_RATE <= 128_000
