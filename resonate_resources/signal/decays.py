"""How what was played dies away, octave by octave, and whether it comes from one place or from everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.mono import overlapping_frames
from resonate_resources.signal.shimmer import spectrum_size

Floats = npt.NDArray[np.float64]

OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)
LEAST_DB = 10.0
"""Of a decay."""

_HOP_S = 0.01
_SMOOTHED = 3  # frames
_RISE_DB = 3.0  # over the lowest level so far: something sounds anew
_RANGE_DB, _FLOOR_DB = 60.0, -95.0  # of decays under the loud parts; what is lower is rounding
_SHORTEST = 12  # frames
_DIRECT_DB = 6.0  # the first fall is the direct sound's own
_CROOKED_DB = 1.2  # a decay is no further off its line (RMS)


@dataclass(frozen=True)
class HeardDecay:
    """rt60_s: as fast as a fall by 60 dB in that many seconds. depth_db: how far it falls. coherence of the two
    channels, 0 to 1: 1 of what comes from one place, about 0 of what comes from everywhere."""

    rt60_s: float
    depth_db: float
    coherence: float


def decays_of(levels: Floats) -> list[HeardDecay]:
    """The decays in one octave's (frames, 4) of `stereo_levels`."""
    from scipy.ndimage import uniform_filter1d

    power = levels[:, :2].mean(axis=1, dtype=np.float64)
    heard = []
    for decay in find_decays(10 * np.log10(uniform_filter1d(power, _SMOOTHED) + 1e-12)):
        # Each frame counts alike: the end of a decay is its room's as much as its beginning.
        left, right, real, imaginary = (
            levels[decay.start : decay.end].T / np.maximum(power[decay.start : decay.end], 1e-14)
        ).sum(axis=1, dtype=np.float64)
        coherence = float(np.hypot(real, imaginary) / np.sqrt(max(left * right, 1e-30)))
        heard.append(HeardDecay(60 / decay.rate_db_s, decay.depth_db, coherence))
    return heard


def stereo_levels(stem: Recording) -> Floats:
    """(octaves, frames, 4): of the first and the last channel each 10 ms, power against a full-scale sine, and the
    real and the imaginary part of what they have in common."""
    from scipy.fft import rfft

    rate = stem.sample_rate
    size, hop = spectrum_size(rate), round(_HOP_S * rate)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    bands = ratio_bands(1, OCTAVES_HZ[0] / 2**0.5, min(OCTAVES_HZ[-1] * 2**0.5, rate / 2), rate, size)
    parts = []
    one, other = tee(stem.blocks())
    first = overlapping_frames((block[0] for block in one), size, hop)
    last = overlapping_frames((block[-1] for block in other), size, hop)
    for left_frames, right_frames in zip(first, last, strict=True):
        left, right = rfft(left_frames * window), rfft(right_frames * window)
        common = left * right.conj()
        both = np.stack([np.square(np.abs(left)), np.square(np.abs(right)), common.real, common.imag])
        parts.append((both @ bands / np.float32((size / 4) ** 2)).transpose(2, 1, 0))
    return np.concatenate(parts, axis=1)


def in_octaves(
    spectrum: npt.NDArray[np.complex128], frames: int, sample_rate: int
) -> Iterator[npt.NDArray[np.float64]]:
    """Of the spectrum (channels, lines) of that many frames what sounds in each octave, (channels, frames): they
    cross over between their centres, the first and the last reach to the ends, and their sum is the whole."""
    lines = np.fft.rfftfreq(frames, 1 / sample_rate)
    octaves = np.log2(np.maximum(lines, 1.0) / OCTAVES_HZ[0]).clip(0, len(OCTAVES_HZ) - 1)
    for number in range(len(OCTAVES_HZ)):
        yield np.fft.irfft(spectrum * np.maximum(0, 1 - np.abs(octaves - number)), frames)


@dataclass(frozen=True)
class Decay:
    """Frames from start up to end; how fast it falls and by how much."""

    start: int
    end: int
    rate_db_s: float
    depth_db: float


def find_decays(levels: Floats) -> list[Decay]:
    """In levels in dB each 10 ms, (frames,): the longest straight end of each stretch in which nothing rises."""
    if len(levels) < _SHORTEST:
        return []
    floor = max(
        float(np.percentile(levels, 95)) - _RANGE_DB, float(np.percentile(levels, 1)) + _RISE_DB, _FLOOR_DB
    )
    found = []
    for first, last in _falls(levels, floor):
        fall = levels[first:last]
        for start in range(3, len(fall) - _SHORTEST + 1, 2):
            end = fall[start:]
            depth = float(end[0] - end[-1])
            if depth < LEAST_DB:
                break
            if fall[0] - end[0] < _DIRECT_DB:
                continue
            seconds = (np.arange(len(end)) - (len(end) - 1) / 2) * _HOP_S
            slope = float(seconds @ end / (seconds @ seconds))
            if float(np.std(end - slope * seconds)) < _CROOKED_DB:
                found.append(Decay(first + start, last, -slope, depth))
                break
    return found


def _falls(levels: Floats, floor: float) -> list[tuple[int, int]]:
    """Stretches from a peak to the lowest level before the next rise, over the floor: start and end."""
    falls = []
    values = levels.tolist()
    start = lowest = 0
    for frame, level in enumerate([*values, np.inf]):
        if level > values[lowest] + _RISE_DB or level < floor:
            if lowest - start + 1 >= _SHORTEST:
                falls.append((start, lowest + 1))
            start = lowest = frame
            if frame == len(values):
                break
        elif level > values[start]:
            start = lowest = frame
        elif level < values[lowest]:
            lowest = frame
    return falls
