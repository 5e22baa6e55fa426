"""Spectral holes: what gates, masks and coders of low rates cut out of the highs, and leave as musical noise.

In spectra of 46 ms, a quarter of that apart, between 5 and 10 kHz: the part of the lines, each against its own mean
over time, whose power is 30 dB under the mean of the 19 around it. The power of a line of noise is exponentially
distributed, so that 1 − exp(−0.001) = 0.1 % of noise lies so low. Breath, cymbals and consonants are such noise.
What is synthesised without any, a lone pad or voice, has holes by itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.shimmer import spectrum_size

BAND_HZ = (5000.0, 10_000.0)

_SPANS, _SPAN_S = 12, 3.0
_AROUND = 19  # lines
_DEEP_DB = 30.0
_RANGE_DB = 50.0  # frames so far under the loudest rest
_FEWEST = 20  # frames


def holes_of(recording: Recording) -> float | None:
    """The median of twelve spans of 3 s, evenly spread; of the whole where it is shorter. None of no highs."""
    from scipy.fft import rfft

    size = spectrum_size(recording.sample_rate)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    span = round(_SPAN_S * recording.sample_rate)
    count = min(_SPANS, max(1, recording.frames // span))
    found = []
    for start in np.linspace(0, max(0, recording.frames - span), count).astype(int).tolist():
        mono = recording.read(start, start + span).mean(axis=0)
        if len(mono) < size:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 4]
        holes = measure_holes(np.square(np.abs(rfft(frames * window))), recording.sample_rate)
        if holes is not None:
            found.append(holes)
    return float(np.median(found)) if found else None


def measure_holes(power: npt.NDArray[np.floating], sample_rate: int) -> float | None:
    """0 to 1. power: (frames, lines), squared magnitudes of Hann-windowed spectra as long as `spectrum_size` in
    `signal.shimmer` says.

    None where the rate has no such band, or fewer than 20 frames hold something there.
    """
    from scipy.ndimage import uniform_filter1d

    lines = power.shape[1] - 1
    low, high = (round(2 * hertz * lines / sample_rate) for hertz in BAND_HZ)
    if high > lines:
        return None
    band = power[:, low:high].astype(np.float64)
    whole = band.sum(axis=1)
    band = band[whole > max(whole.max(initial=0.0) * 10 ** (-_RANGE_DB / 10), 1e-20)]
    if len(band) < _FEWEST:
        return None
    band /= np.maximum(band.mean(axis=0), 1e-20)
    around = uniform_filter1d(band, _AROUND, axis=1, mode="nearest")
    return float(np.mean(band < around * 10 ** (-_DEEP_DB / 10)))
