"""Stereo width: how much a recording's side holds against its mid, by band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Progress, Recording, silent

BANDS_HZ = {
    "sub": (20.0, 120.0),
    "low": (120.0, 500.0),
    "mid": (500.0, 2000.0),
    "presence": (2000.0, 6000.0),
    "air": (6000.0, 20_000.0),
}
_FRAME = 4096


@dataclass(frozen=True)
class StereoWidth:
    """width_db: 10·log10(ΣS²/ΣM²) with M = (L+R)/2 and S = (L−R)/2, None where either is silent.
    bands_db: the same by band. correlation: of left and right, −1…1, None where either is silent.
    """

    width_db: float | None
    bands_db: dict[str, float | None]
    correlation: float | None


def measure_width(recording: Recording, progress: Progress = silent) -> StereoWidth:
    """Width over a whole recording, from its first two channels; all None for one channel."""
    if recording.channels < 2:
        return StereoWidth(None, dict.fromkeys(BANDS_HZ), None)
    from scipy.fft import rfft

    products = np.zeros(3)  # ΣL², ΣR², ΣLR
    spectrum = np.zeros((2, _FRAME // 2 + 1))  # of mid and side
    read = 0
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    for block in recording.blocks():
        left, right = block[:2].astype(np.float64)
        products += left @ left, right @ right, left @ right
        pair = np.stack([left + right, left - right]).astype(np.float32) / 2
        pair = np.pad(pair, ((0, 0), (0, -pair.shape[1] % _FRAME))).reshape(2, -1, _FRAME)
        spectrum += (np.abs(rfft(pair * window)) ** 2).sum(axis=1)
        read += block.shape[1]
        progress(read / recording.frames)
    hertz = np.fft.rfftfreq(_FRAME, 1 / recording.sample_rate)
    bands = {
        name: _ratio_db(*spectrum[:, (hertz >= low) & (hertz < high)].sum(axis=1))
        for name, (low, high) in BANDS_HZ.items()
    }
    left_power, right_power, both = products.tolist()
    power = left_power + right_power
    correlation = both / np.sqrt(left_power * right_power) if left_power * right_power > 0 else None
    return StereoWidth(_ratio_db(power + 2 * both, power - 2 * both), bands, correlation)


def _ratio_db(mid: float, side: float) -> float | None:
    return float(10 * np.log10(side / mid)) if mid > 0 and side > 0 else None
