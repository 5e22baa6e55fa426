"""Plain sounds whose defects can be measured, for tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.excerpt import Excerpt

RATE = 44_100


def excerpt(stems: Mapping[str, Samples] | Samples, name: str = "plain", beat_s: float = 0.5) -> Excerpt:
    """Of those stems, or of one sound alone; four beats to a bar."""
    parts = stems if isinstance(stems, Mapping) else {"other": stems}
    mix = np.sum(list(parts.values()), axis=0, dtype=np.float32)
    beats = tuple(np.arange(0, mix.shape[1] / RATE, beat_s).tolist())
    return Excerpt(name, mix, parts, RATE, beats, beats[::4], (), None)


def noise(seconds: float, seed: int = 0) -> Samples:
    """White, (2, frames), 20 dB under full scale, each channel its own."""
    return np.asarray(
        0.1 * np.random.default_rng(seed).standard_normal((2, round(seconds * RATE))), np.float32
    )


def tone(seconds: float, hertz: float, level: float = 0.1) -> Samples:
    """A sine, the same in (2, frames)."""
    wave = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.asarray(np.stack((wave, wave)), np.float32)


def strokes(seconds: float, every_s: float) -> Samples:
    """Single samples, (2, frames)."""
    made = np.zeros((2, round(seconds * RATE)), np.float32)
    made[:, np.round(np.arange(0.1, seconds - 0.01, every_s) * RATE).astype(int)] = 0.5
    return made


def level_db(samples: npt.NDArray[np.floating]) -> float:
    """Root mean square against full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def pitch_hz(samples: Samples) -> float:
    """The strongest line, between bins by a parabola through the logarithms."""
    wave = samples.mean(axis=0)
    spectrum = np.log(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) + 1e-12)
    peak = int(np.argmax(spectrum[1:-1])) + 1
    low, middle, high = spectrum[peak - 1 : peak + 2]
    return float((peak + (low - high) / (2 * (low - 2 * middle + high))) * RATE / len(wave))
