"""What decoders of generated audio leave: shimmer, spikes at multiples of a spacing, images.

Each takes the clean (channels, frames), its sample rate in Hz, chance, and the size in dB, and gives as much audio
back, in time and at the level of the clean one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.shimmer import BAND_HZ

SHIMMER_DB = (-6.0, 0.0, 6.0)
COMB_DB = (-70.0, -60.0, -50.0)
CHECKERBOARD_DB = (-50.0, -40.0, -30.0)

_STRIDES = (256, 320, 441, 512, 640)  # samples of a hop or of all strides of a decoder together
_RATES_HZ = (32_000, 44_100, 48_000)
_CELLS = (2, 4, 8)  # of one upsampling layer
_PEAKS_S = (20.0, 80.0)
_PEAK_S = (0.03, 0.07)


def shimmer(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """Short tones between 6 and 10 kHz that come and go with what sounds there, 20 to 80 a second, each channel at
    a gain of its own; together `size` dB over the band."""
    count = round(chance.uniform(*_PEAKS_S) * clean.shape[1] / sample_rate)
    band = _band(clean.mean(axis=0), sample_rate)
    made = np.zeros(clean.shape)
    for _ in range(count):
        frames = round(chance.uniform(*_PEAK_S) * sample_rate)
        start = int(chance.integers(0, max(1, clean.shape[1] - frames)))
        span = slice(start, min(start + frames, clean.shape[1]))
        loud = float(np.sqrt(np.mean(np.square(band[span]))))
        turns = chance.uniform(*BAND_HZ) / sample_rate * np.arange(span.stop - start) + chance.uniform()
        peak = loud * chance.uniform(0.5, 1.0) * np.hanning(span.stop - start) * np.sin(2 * np.pi * turns)
        made[:, span] += chance.uniform(0.5, 1.0, (len(clean), 1)) * peak
    power = float(np.mean(np.square(made)))
    wanted = float(np.mean(np.square(band))) * 10 ** (size / 10)
    return np.asarray(clean + made * np.sqrt(wanted / power) if power > 0 else clean, np.float32)


def comb(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """Steady lines at all multiples of a decoder's frame rate, as the biases of transposed convolutions make: each
    near `size` dB against the whole (Deezer, arXiv 2506.19108)."""
    spacing = float(chance.choice(_RATES_HZ)) / int(chance.choice(_STRIDES))
    level = float(np.sqrt(2 * np.mean(np.square(clean, dtype=np.float64)))) * 10 ** (size / 20)
    seconds = np.arange(clean.shape[1]) / sample_rate
    lines = np.zeros(clean.shape[1])
    for tooth in range(1, int(0.49 * sample_rate / spacing) + 1):
        height = level * 10 ** (chance.normal(0.0, 3.0) / 20)
        lines += height * np.cos(2 * np.pi * (tooth * spacing * seconds + chance.uniform()))
    return np.asarray(clean + lines, np.float32)


def checkerboard(clean: Samples, sample_rate: int, chance: np.random.Generator, size: float) -> Samples:
    """Each sample times a pattern of 2, 4 or 8, as kernels that strides do not divide make: images of all that
    sounds about multiples of that part of the rate, together `size` dB against it (Odena et al., Distill 2016)."""
    cells = int(chance.choice(_CELLS))
    pattern = chance.standard_normal(cells)
    pattern -= pattern.mean()
    pattern *= 10 ** (size / 20) / np.sqrt(np.mean(np.square(pattern)))
    return np.asarray(clean * (1 + np.resize(pattern, clean.shape[1])), np.float32)


def _band(mono: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    from scipy.signal import butter, sosfiltfilt

    top = min(BAND_HZ[1], 0.49 * sample_rate)
    sections = butter(4, (BAND_HZ[0], top), "bandpass", fs=sample_rate, output="sos")
    return np.asarray(sosfiltfilt(sections, mono), np.float64)
