"""Voices whose pitch, noise and shimmer are known, as they are made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, write_samples

RATE = 44_100
Audio = npt.NDArray[np.float64]

_FORMANTS = ((650, 80, 1.0), (1080, 90, 0.6), (2650, 120, 0.4), (3500, 150, 0.3))  # of a sung [a]


def sung(curve: Audio, rate: int = RATE, harmonics_to: float = 9500.0) -> Audio:
    """(frames,) of a vowel; curve: its pitch at each of them, in cents over 220 Hz. With 30 ms of fading at the
    ends."""
    hertz = 220 * 2 ** (curve / 1200)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    voice = np.zeros(len(curve))
    for harmonic in range(1, int(min(harmonics_to, 0.45 * rate) / 220) + 1):
        at = 220.0 * harmonic
        gain = sum(height / (1 + ((at - centre) / width) ** 2) for centre, width, height in _FORMANTS)
        voice += (gain + 0.02) / harmonic**0.5 * np.sin(harmonic * phase + harmonic**2)
    fade = np.clip(np.arange(len(curve)) / (0.03 * rate), 0, 1)
    return np.asarray(0.1 * voice * fade * fade[::-1], np.float64)


def held(seconds: float, rate: int = RATE, vibrato_cents: float = 0.0, at: float = 0.0) -> Audio:
    """A note's curve for `sung`, with a vibrato of 5.5 Hz."""
    t = np.arange(round(seconds * rate)) / rate
    return np.asarray(at + vibrato_cents * np.sin(2 * np.pi * 5.5 * t), np.float64)


def rest(seconds: float, rate: int = RATE) -> Audio:
    return np.zeros(round(seconds * rate))


def band(samples: Audio, low_hz: float, high_hz: float, rate: int = RATE) -> Audio:
    """Those frequencies of it, and no others."""
    spectrum = np.fft.rfft(samples, axis=-1)
    hertz = np.fft.rfftfreq(samples.shape[-1], 1 / rate)
    spectrum[..., (hertz < low_hz) | (hertz >= high_hz)] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.shape[-1], axis=-1), np.float64)


def energy(samples: npt.NDArray[np.floating]) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


def recorded(folder: Path, *channels: Audio, rate: int = RATE, name: str = "voice.wav") -> Recording:
    return write_samples(folder / name, np.stack(channels).astype(np.float32), rate)


def cents_of(samples: npt.NDArray[np.floating], hertz: float, rate: int = RATE) -> Audio:
    """(frames,) the pitch of its fundamental near hertz, in cents from there, by its phase."""
    from scipy.signal import hilbert

    alone = band(samples.astype(np.float64), hertz * 0.75, hertz * 1.3, rate)
    phase = np.unwrap(np.angle(hilbert(alone)))
    moving = np.gradient(phase) * rate / (2 * np.pi)
    return np.asarray(1200 * np.log2(np.maximum(moving, 1) / hertz), np.float64)


def bursts(like: Audio, a_second: float, part_of_band: float, seed: int = 1) -> Audio:
    """Tones of 46 ms at random times and frequencies from 6.2 to 9.8 kHz; their energy: in parts of that which is
    between 6 and 10 kHz then."""
    rng = np.random.default_rng(seed)
    size = 2048
    added = np.zeros(len(like))
    for _ in range(round(a_second * len(like) / RATE)):
        at = rng.integers(len(like) - size)
        turns = rng.uniform(6200, 9800) * np.arange(size) / RATE + rng.random()
        added[at : at + size] += np.hanning(size) * np.sin(2 * np.pi * turns)
    there = energy(band(like, 6000, 10_000))
    return added * np.sqrt(part_of_band / (1 - part_of_band) * there / energy(added))
