"""Noise in which recordings lie: broadband, mains, crowds, tape and vinyl (its surface, without crackle).

Each takes (channels, frames) of clean audio, its rate in Hz, a generator and the ratio of the sound's power to the
noise's in dB, and gives the same with noise. Channels' noise is their own, but for mains hum, which is the same in
all, and for crowds, which stand around.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

Damage = Callable[[Samples, int, np.random.Generator, float], Samples]
Floats = npt.NDArray[np.float64]


def white(clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float) -> Samples:
    """Of amplifiers and converters."""
    return _at(clean, rng.standard_normal(clean.shape), snr_db)


def pink(clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float) -> Samples:
    """3 dB an octave down from 20 Hz: of rooms and semiconductors."""
    return _at(clean, _shaped(clean.shape, sample_rate, rng, lambda hz: np.maximum(hz, 20.0) ** -0.5), snr_db)


def tape_hiss(clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float) -> Samples:
    """Rises by 6 dB an octave from 1 kHz, falls over 14 kHz, and breathes by half a decibel: of a cassette after
    its 120 µs equalisation."""

    def shape(hz: Floats) -> Floats:
        return np.sqrt(1 + (hz / 1326) ** 2) / (1 + (hz / 14_000) ** 6)

    noise = _shaped(clean.shape, sample_rate, rng, shape)
    return _at(clean, noise * _wandering(clean.shape[1], sample_rate, rng, 0.5, 0.5), snr_db)


def vinyl_surface(clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float) -> Samples:
    """Hiss that falls by 3 dB an octave to 5 kHz and by 6 above, rumble under 60 Hz, both louder once a turn
    (33⅓ a minute). No crackle."""

    def shape(hz: Floats) -> Floats:
        hiss = np.maximum(hz, 30.0) ** -0.5 / np.sqrt(1 + (hz / 5000) ** 2)
        return np.asarray(hiss + 0.6 / (1 + (hz / 45) ** 4), np.float64)

    noise = _shaped(clean.shape, sample_rate, rng, shape)
    turn = np.arange(clean.shape[1]) / sample_rate * 33.333 / 60
    return _at(clean, noise * (1 + 0.15 * np.sin(2 * np.pi * (turn + rng.random()))), snr_db)


def hum(
    clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float, mains_hz: int = 50
) -> Samples:
    """Mains and its harmonics up to 1.2 kHz: even ones of a rectifier louder than odd ones by chance, off by up to
    0.1 %, drifting by 0.02 %, swelling by half a decibel; with hiss 30 dB beneath."""
    frames = clean.shape[1]
    mains = mains_hz * (1 + rng.uniform(-1e-3, 1e-3)) * _wandering(frames, sample_rate, rng, 0.0017, 0.1)
    phase = 2 * np.pi * np.cumsum(mains) / sample_rate
    one = np.zeros(frames)
    tilt = rng.uniform(0.8, 1.5)
    for harmonic in range(1, int(min(1200, 0.45 * sample_rate) / mains_hz) + 1):
        level = harmonic**-tilt * 10 ** (rng.normal(0, 4) / 20)
        one += level * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    one *= _wandering(frames, sample_rate, rng, 0.5, 0.2)
    gains = rng.uniform(0.7, 1.0, (clean.shape[0], 1))
    return white(_at(clean, one[None] * gains, snr_db), sample_rate, rng, snr_db + 30)


def crowd(
    clean: Samples, sample_rate: int, rng: np.random.Generator, snr_db: float, voice: Samples, voice_rate: int
) -> Samples:
    """Forty talkers and a room's noise 6 dB beneath them.

    voice: (1, frames) of one talker. Each is a stretch of it moved in time, up to a fifth higher or lower, nearer or
    further (lows and highs lost), at a place of their own.
    """
    import soxr

    channels, frames = clean.shape
    noise = np.zeros((channels, frames))
    for _ in range(40):
        pitch = 2 ** rng.uniform(-7 / 12, 7 / 12)
        talker = soxr.resample(voice[0], voice_rate * pitch, sample_rate).astype(np.float64)
        talker = np.tile(np.roll(talker, rng.integers(len(talker))), frames // len(talker) + 1)[:frames]
        talker = _filtered(
            talker, sample_rate, lambda hz, cut=rng.uniform(2500, 7000): 1 / (1 + (hz / cut) ** 2)
        )
        place = np.sqrt(rng.dirichlet(np.ones(channels)))[:, None] if channels > 1 else 1.0
        noise += talker * place * 10 ** (rng.normal(0, 3) / 20)
    room = _shaped(clean.shape, sample_rate, rng, lambda hz: 1 / (1 + (hz / 400) ** 1.2))
    noise += room * np.sqrt(np.mean(noise**2) / np.mean(room**2)) * 10 ** (-6 / 20)
    return _at(clean, noise, snr_db)


def noises(talker: Path) -> dict[str, Damage]:
    """All of them by name. talker: a recording of speech without noise, of which the crowd is made."""
    speech = Recording.open(talker)
    voice = speech.read().mean(axis=0, keepdims=True)
    return {
        "white": white,
        "pink": pink,
        "hum 50": partial(hum, mains_hz=50),
        "hum 60": partial(hum, mains_hz=60),
        "crowd": partial(crowd, voice=voice, voice_rate=speech.sample_rate),
        "tape hiss": tape_hiss,
        "vinyl surface": vinyl_surface,
    }


def _at(clean: Samples, noise: Floats, snr_db: float) -> Samples:
    power = float(np.mean(np.square(clean, dtype=np.float64)))
    gain = np.sqrt(power / max(float(np.mean(noise**2)), 1e-30)) * 10 ** (-snr_db / 20)
    return np.asarray(clean + gain * noise, np.float32)


def _shaped(
    shape: tuple[int, ...], sample_rate: int, rng: np.random.Generator, gain: Callable[[Floats], Floats]
) -> Floats:
    return _filtered(rng.standard_normal(shape), sample_rate, gain)


def _filtered(sound: Floats, sample_rate: int, gain: Callable[[Floats], Floats]) -> Floats:
    """Along the last axis, by a gain (zero phase) for each frequency in Hz."""
    frames = sound.shape[-1]
    hertz = np.fft.rfftfreq(frames, 1 / sample_rate)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * gain(hertz), frames), np.float64)


def _wandering(
    frames: int, sample_rate: int, rng: np.random.Generator, by_db: float, per_second: float
) -> Floats:
    """A gain that wanders slowly about 1 with a standard deviation of by_db."""
    points = max(4, int(frames / sample_rate * per_second) + 4)
    times = np.linspace(0, points - 1, frames)
    return np.asarray(
        10 ** (np.interp(times, np.arange(points), rng.normal(0, by_db, points)) / 20), np.float64
    )
