"""Parts of the circuits of analogue drum machines, as functions of the time since the stroke.

Werner, Abel and Smith, "A Physically-Informed, Circuit-Bendable, Digital Model of the Roland TR-808 Bass Drum
Circuit" (DAFx-14) and "The TR-808 Cymbal: a Physically-Informed, Circuit-Bendable, Digital Model" (ICMC 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Mono = npt.NDArray[np.float64]

METAL_HZ: Final = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)
"""Of the six Schmitt-trigger oscillators that all cymbals of the TR-808 share (ICMC 2014)."""
_OVERSAMPLING: Final = 8  # squares have overtones without end


def seconds(duration_s: float, rate: int) -> Mono:
    """From 0 on, at that rate in Hz."""
    return np.arange(round(duration_s * rate)) / rate


def fall(t: Mono, tau_s: float) -> Mono:
    """From 1 at the stroke to 1/e after tau_s."""
    return np.exp(-t / tau_s)


def bridged_t(t: Mono, hz: float, tau_s: float, above_hz: float = 0.0, settling_s: float = 0.01) -> Mono:
    """What a struck bridged-T network rings with: a decaying sine that begins above_hz too high and settles."""
    cycles = hz * t + above_hz * settling_s * (
        1 - fall(t, settling_s)
    )  # the integral, so without a jump in phase
    return np.sin(2 * np.pi * cycles) * fall(t, tau_s)


def noise(t: Mono, seed: int) -> Mono:
    """White, of variance 1."""
    return np.random.default_rng(seed).standard_normal(t.size)


def metal(t: Mono, rate: int, tuned: float = 1.0, hz: Sequence[float] = METAL_HZ) -> Mono:
    """The mean of square oscillators, −1…1, overtones cut at half the rate. tuned: factor of the pitches."""
    from scipy.signal import resample_poly

    fine = np.arange(t.size * _OVERSAMPLING) / (rate * _OVERSAMPLING)
    squares = np.zeros_like(fine)
    for place, each in enumerate(hz):
        squares += np.sign(np.sin(2 * np.pi * (each * tuned * fine + place / 7))) / len(hz)
    return np.asarray(resample_poly(squares, 1, _OVERSAMPLING), np.float64)


def band(
    sound: Mono, rate: int, low_hz: float | None = None, high_hz: float | None = None, order: int = 2
) -> Mono:
    """Butterworth: what lies over low_hz and under high_hz."""
    from scipy.signal import butter, sosfilt

    if low_hz is not None:
        sound = sosfilt(butter(order, low_hz, "highpass", fs=rate, output="sos"), sound)
    if high_hz is not None:
        sound = sosfilt(butter(order, min(high_hz, 0.49 * rate), fs=rate, output="sos"), sound)
    return np.asarray(sound, np.float64)
