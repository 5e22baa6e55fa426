"""What a time-frequency bin tells, by itself and its neighbours, about the stem that it belongs to.

Steady or broad-band at three window lengths (Fitzgerald 2010), centred or wide (Barry et al. 2004), repeated
elsewhere (Rafii and Pardo 2012), rising or fading. All are ratios: the level of a recording changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.spectral.running import (
    Plane,
    median_of_three,
    running_maximum,
    running_median,
    smooth,
)
from resonate_resources.separation.spectral.stft import Spectra, Stft

TOP_HZ = 16000.0
"""Cues end here: above lies little but cymbals and breath, which go with the octave below."""
BANDS_HZ = ((30, 150), (150, 800), (800, 4000), (4000, 16000))
"""Kick and bass; body; formants; cymbals and consonants."""
_FLOOR = np.float32(1e-5)  # −100 dB re the RMS bin of the block
_TINY = np.float32(1e-20)
_SIMILAR_APART = 22
"""Times (0.5 s) within which a frame is a neighbour of another, not a repetition."""


@dataclass(frozen=True)
class Cues:
    """planes: one (time, bins) per cue; frames: (time, cues); magnitude: (time, bins), of RMS one."""

    planes: tuple[Plane, ...]
    frames: npt.NDArray[np.float32]
    magnitude: Plane


def measure_cues(samples: Samples, spectra: Spectra, stft: Stft, bin_hz: float) -> Cues:
    """Cues of (channels, frames) whose `stft` is `spectra`, for its bins up to TOP_HZ, bin_hz apart."""
    bins = min(spectra.shape[2], int(TOP_HZ / bin_hz) + 1)
    low = spectra[:, :, :bins]
    power = power_of(low)
    scale = 1 / (power.mean() + _TINY)
    power *= scale
    # What the channels do not share.
    side = np.maximum(power - scale * power_of(low.sum(0, keepdims=True)) / len(low), 0)
    samples = samples * np.sqrt(scale)
    magnitude = np.sqrt(power)
    planes = (
        *_texture(magnitude),
        *_short_window(samples, Stft(stft.size // 4), magnitude.shape),
        *_long_window(samples, Stft(stft.size * 4), magnitude.shape),
        *_contour(magnitude),
        *_panning(side, power),
        log_ratio(magnitude, _repeated(magnitude)),
    )
    return Cues(planes, np.stack([*_frame_cues(power, bin_hz), _width(side, power)], axis=1), magnitude)


def power_of(spectra: Spectra) -> Plane:
    """Power summed over channels."""
    power: Plane = (np.square(spectra.real) + np.square(spectra.imag)).sum(0)
    return power


def log_ratio(a: Plane, b: Plane) -> Plane:
    """ln(a / b) of magnitudes, floored at −100 dB and limited to ±4 (35 dB)."""
    ratio: Plane = a + _FLOOR
    ratio /= b + _FLOOR
    np.log(ratio, out=ratio)
    return np.clip(ratio, -4, 4, out=ratio)


def _texture(magnitude: Plane) -> Iterator[Plane]:
    """Against the medians over 9, 27 and 81 times and bins: partials are steady, strokes are broad."""
    for levels in (2, 3, 4):
        steady = running_median(magnitude, 0, levels)
        broad = running_median(magnitude, 1, levels)
        yield log_ratio(magnitude, steady)
        yield log_ratio(magnitude, broad)
        if levels == 3:
            yield log_ratio(steady, broad)
            # A vibrato leaves its bin but not its neighbourhood: steady only if drift is allowed.
            drifting = running_maximum(magnitude, 1, 7)
            yield log_ratio(running_median(drifting, 0, levels), steady)


def _short_window(samples: Samples, stft: Stft, shape: tuple[int, int]) -> Iterator[Plane]:
    """As windows a quarter as long see it: tonal share, crest, and rise within the four of one time."""
    times, bins = shape
    magnitude = np.sqrt(power_of(stft.forward(samples)[:, :, : bins // 4 + 2]))
    tonal = _tonal_share(magnitude, 3, 2)

    def by_time(values: Plane) -> npt.NDArray[np.float32]:
        # Time k of the long grid is centred on time 4k − 3 of this one: its four are 4k − 4 … 4k − 1.
        grid = np.zeros((4 * times, values.shape[1]), np.float32)
        count = min(len(values), 4 * times - 4)
        grid[4 : 4 + count] = values[:count]
        return grid.reshape(times, 4, -1)

    def on_grid(values: Plane) -> Plane:
        return np.repeat(values, 4, axis=1)[:, 2 : 2 + bins]

    quarters = by_time(magnitude)
    power = np.square(quarters)
    total: Plane = power.sum(1)
    yield on_grid((power * by_time(tonal)).sum(1) / (total + _TINY) * 4 - 2)
    yield on_grid(np.log(power.max(1) / (total + _TINY) * 4 + 0.1))
    yield on_grid(log_ratio(quarters[:, 2:].sum(1), quarters[:, :2].sum(1)))


def _long_window(samples: Samples, stft: Stft, shape: tuple[int, int]) -> Iterator[Plane]:
    """As windows four times as long see it: tonal share, and crest over the four bins of one."""
    times, bins = shape
    magnitude = np.sqrt(power_of(stft.forward(samples)[:, :, : 4 * bins]))
    tonal = _tonal_share(magnitude, 2, 3)

    def by_bin(values: Plane) -> npt.NDArray[np.float32]:
        # Bin k is centred on bin 4k of this grid: its four are 4k − 2 … 4k + 1.
        padded = np.pad(values, ((0, 0), (2, 4 * bins)))[:, : 4 * bins]
        return padded.reshape(len(values), bins, 4)

    power = by_bin(np.square(magnitude))
    total: Plane = power.sum(2)
    nearest = np.clip((np.arange(times) + 1) // 4 + 1, 0, len(magnitude) - 1)
    share: Plane = (power * by_bin(tonal)).sum(2) / (total + _TINY)
    crest: Plane = np.log(power.max(2) / (total + _TINY) * 4 + np.float32(0.1))
    yield share[nearest] * 4 - 2
    yield crest[nearest]


def _tonal_share(magnitude: Plane, time_levels: int, bin_levels: int) -> Plane:
    steady: Plane = np.square(running_median(magnitude, 0, time_levels))
    broad: Plane = np.square(running_median(magnitude, 1, bin_levels))
    share: Plane = steady / (steady + broad + _TINY)
    return share


def _contour(magnitude: Plane) -> Iterator[Plane]:
    """Against the surroundings: peak, valley, rise, decay, usual level of the bin and of the time."""
    yield log_ratio(magnitude, smooth(magnitude, 1, 9))
    yield log_ratio(magnitude, smooth(magnitude, 1, 41))
    yield log_ratio(magnitude, smooth(magnitude, 9, 1))
    usual: Plane = magnitude.mean(0, keepdims=True)
    yield log_ratio(magnitude, usual)
    level = np.sqrt(np.square(magnitude).sum(1, keepdims=True), dtype=np.float32)
    yield np.float32(2) + np.float32(0.5) * log_ratio(magnitude, level)
    blurred = smooth(magnitude, 3, 3)
    around = np.pad(blurred, ((4, 4), (0, 0)), mode="edge")
    for delay in (-4, -2, 4):
        yield log_ratio(blurred, around[4 + delay : 4 + delay + len(blurred)])


def _panning(side: Plane, power: Plane) -> Iterator[Plane]:
    """What the channels do not share, re all: in the bin, around it, and in its band throughout."""
    yield log_ratio(np.sqrt(side), np.sqrt(power))
    yield log_ratio(np.sqrt(smooth(side, 5, 5)), np.sqrt(smooth(power, 5, 5)))
    yield np.broadcast_to(log_ratio(np.sqrt(side.mean(0)), np.sqrt(power.mean(0))), power.shape)


def _width(side: Plane, power: Plane) -> npt.NDArray[np.float32]:
    """What the channels do not share of the whole block: without width, panning tells nothing."""
    share = max(float(side.mean() / (power.mean() + _TINY)), 1e-8)
    return np.full(len(power), max(0.5 * np.log(share), -4), np.float32)


def _repeated(magnitude: Plane) -> Plane:
    """Median of the nine times most like each one, none of them next to it or to each other (REPET-SIM)."""
    times, bins = magnitude.shape
    edges = np.unique(np.geomspace(3, max(4, bins - 1), 48).astype(int).clip(0, bins - 1))
    bands = np.log(np.add.reduceat(magnitude, edges, axis=1) + 1e-2)
    bands -= bands.mean(1, keepdims=True)
    bands /= np.sqrt(np.square(bands).sum(1, keepdims=True)) + _FLOOR
    likeness = bands @ bands.T
    moments = np.arange(times)
    likeness[np.abs(moments[:, None] - moments) < _SIMILAR_APART] = -2
    chosen = []
    for _ in range(9):
        best = likeness.argmax(1)
        chosen.append(magnitude[best])
        for step in range(-2, 3):
            likeness[moments, np.clip(best + step, 0, times - 1)] = -3
    return median_of_three(*(median_of_three(*chosen[k : k + 3]) for k in (0, 3, 6)))


def _frame_cues(power: Plane, bin_hz: float) -> Iterator[npt.NDArray[np.float32]]:
    """Of a time as a whole: level, and in four bands its stroke, share and rise."""
    level = np.sqrt(power.sum(1))
    yield log_ratio(level, np.sqrt(np.square(level).mean(keepdims=True)))
    for low, high in BANDS_HZ:
        band = np.sqrt(power[:, int(low / bin_hz) : int(high / bin_hz)].sum(1))
        yield log_ratio(band, running_median(band[:, None], 0, 3)[:, 0])
        yield log_ratio(band, level)
        yield log_ratio(band, np.pad(band, (2, 0), mode="edge")[:-2])
