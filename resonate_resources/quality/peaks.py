"""Peaks of spectra: which partials sound, to a cent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PEAKS = 16
_RANGE_HZ = (80.0, 5_000.0)
_DEPTH = 1e-5  # power under the strongest, −50 dB
_A4_HZ = 440.0


def spectral_peaks(power: Floats, line_hz: float) -> tuple[Floats, Floats]:
    """The strongest peaks of each spectrum from 80 Hz to 5 kHz: cents from A4 and amplitude, (frames, 16) each.

    power: (frames, lines), of a Hann window; line_hz between lines. Interpolated by a parabola through the levels
    in dB (Smith and Serra, PARSHL, 1987). Amplitude 0 where there are fewer.
    """
    first, last = (round(hz / line_hz) for hz in _RANGE_HZ)
    inner = power[:, first:last]
    left, right = power[:, first - 1 : last - 1], power[:, first + 1 : last + 1]
    strongest = inner.max(axis=1, keepdims=True)
    peaks = np.where((inner > left) & (inner >= right) & (inner > _DEPTH * strongest), inner, 0)
    where = np.argpartition(peaks, -PEAKS, axis=1)[:, -PEAKS:]
    found = np.take_along_axis(peaks, where, axis=1)
    a, b, c = (
        np.log(np.maximum(np.take_along_axis(part, where, axis=1), np.float32(1e-30)))
        for part in (left, inner, right)
    )
    curvature = a - 2 * b + c
    aside = np.where(curvature < 0, (a - c) / (2 * np.minimum(curvature, -1e-9)), 0)
    hz = (where + first + np.clip(aside, -0.5, 0.5)) * line_hz
    cents = 1200 * np.log2(hz / _A4_HZ)
    return cents.astype(np.float32), np.sqrt(found).astype(np.float32)
