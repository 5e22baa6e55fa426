"""Levels over time in bands of frequency: what onsets, beats, strokes and sections are found in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.mono import mono_blocks, moved, overlapping_frames

Floats = npt.NDArray[np.float32]

Bands = npt.NDArray[np.float32]
"""Shaped (lines, bands): how much of the power of each line of a real spectrum belongs to each band."""


def mel_bands(count: int, lowest_hz: float, highest_hz: float, sample_rate: int, size: int) -> Bands:
    """Overlapping triangles, evenly spaced in mel (O'Shaughnessy 1987), over the spectrum of `size` samples."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (lowest_hz, highest_hz))
    corners = 700 * (10 ** (np.linspace(low, high, count + 2) / 2595) - 1)
    hertz = np.arange(size // 2 + 1)[:, np.newaxis] * sample_rate / size
    rising = (hertz - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - hertz) / np.diff(corners)[1:]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)


def ratio_bands(per_octave: int, lowest_hz: float, highest_hz: float, sample_rate: int, size: int) -> Bands:
    """Bands of equal ratio that meet, each of one line at least: low ones may be fewer than per_octave."""
    octaves = np.log2(highest_hz / lowest_hz)
    edges_hz = lowest_hz * 2 ** (np.arange(octaves * per_octave + 1) / per_octave)
    edges = np.unique(np.ceil(edges_hz * size / sample_rate))
    lines = np.arange(size // 2 + 1)[:, np.newaxis]
    return np.asarray((edges[:-1] <= lines) & (lines < edges[1:]), np.float32)


def bands_between(bounds_hz: Sequence[tuple[float, float]], sample_rate: int, size: int) -> Bands:
    """One band for each pair of bounds, of the lines nearest to them and all between."""
    low, high = np.round(np.array(bounds_hz).T * size / sample_rate)
    lines = np.arange(size // 2 + 1)[:, np.newaxis]
    return np.asarray((low <= lines) & (lines <= high), np.float32)


def band_levels(
    recording: Recording,
    bands: Bands,
    sample_rate: int,
    hop: int,
    progress: Progress = silent,
    *,
    skip: int = 0,
) -> Floats:
    """(frames, bands): levels of the mean of the channels at sample_rate, in dB against a full-scale sine; ≥ −120.

    A frame every `hop` samples, the first centred on the first sample; each is a Hann window as long as the bands
    were made for. skip: samples at sample_rate that are passed over; negative: zeros that stand before the first.
    Kept for the whole recording.
    """
    from scipy.fft import rfft

    size = 2 * (len(bands) - 1)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    mono = moved(mono_blocks(recording, sample_rate, progress), skip)
    parts = []
    for frames in overlapping_frames(mono, size, hop):
        spectra = rfft(frames * window)
        power = (spectra.real**2 + spectra.imag**2) @ bands / np.float32((size / 4) ** 2)
        parts.append(10 * np.log10(np.maximum(power, np.float32(1e-12))))
    return np.concatenate(parts)
