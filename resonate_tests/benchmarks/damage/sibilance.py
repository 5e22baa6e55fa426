"""Sibilants that are too loud, by a known amount."""

from __future__ import annotations

import numpy as np

from resonate_resources.recordings.recording import Samples


def sibilant(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """A bright microphone's, then a compressor's that hears lows alone: 5 to 9 kHz louder by `size` dB, where
    they are louder than what lies below 3 kHz (moments of 10 ms)."""
    from scipy.signal import butter, sosfiltfilt

    top = min(9000.0, 0.45 * sample_rate)
    band = sosfiltfilt(butter(2, (5000.0, top), "band", fs=sample_rate, output="sos"), clean)
    low = sosfiltfilt(butter(4, 3000.0, fs=sample_rate, output="sos"), clean)
    smoother = butter(1, 15.0, fs=sample_rate, output="sos")
    high_power, low_power = (
        np.maximum(sosfiltfilt(smoother, np.square(each).mean(axis=0)), 1e-12) for each in (band, low)
    )
    gain = (10 ** (size / 20) - 1) * high_power / (high_power + low_power)
    return np.asarray(clean + gain[None] * band, np.float32)
