"""Reverberation predicted from what was heard before it: weighted prediction error, in every line of the spectrum.

A room that stands still answers each moment of a line with the same echoes, whatever is played: the filter that best
predicts the line from its own past, beyond the direct sound and its window, predicts the late reverberation. Moments
count by the inverse of their power (Nakatani et al., "Speech dereverberation based on variance-normalized delayed
linear prediction", IEEE Trans. ASLP 18, 2010), both channels predict both (Yoshioka and Nakatani, ibid. 20, 2012).
nara_wpe computes the same, of a recording that is whole in memory, at double precision; it is a peer in tests.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Spectra = npt.NDArray[np.complex64]
"""(lines, channels, frames) of a short-time Fourier transform."""

Filters = npt.NDArray[np.complex64]
"""(lines, taps, channels heard, channels predicted), the longest ago first."""


def fit_filters(
    spans: npt.NDArray[np.complex64], delay: int, taps: int, loudest_parts: float, regularisation: float
) -> Filters:
    """The filters that best predict frames from those `delay` to `delay + taps - 1` before them, in all spans.

    spans: (spans, lines, channels, frames); none is predicted from another. loudest_parts: a moment counts no more
    than one of that part of the line's loudest power; 0 is WPE as published, by which silence between notes outweighs
    all else. regularisation: energy added to each channel and tap, in parts of their mean.
    """
    lines, channels = spans.shape[1:3]
    order = taps * channels
    correlation = np.zeros((lines, order, order), np.complex128)
    with_now = np.zeros((lines, order, channels), np.complex128)
    for line in range(lines):
        heard = _past(spans[:, line], delay, taps)
        now = spans[:, line, :, delay + taps - 1 :].transpose(0, 2, 1)
        power = np.square(np.abs(now)).mean(axis=2)
        least = np.float32(max(loudest_parts, 1e-10) * float(power.max(initial=1e-20)))
        weighted = (heard.conj() / np.maximum(power, least)[:, :, None]).transpose(0, 2, 1)
        # Span by span: products so small that BLAS leaves them to one thread, which is faster and always the same.
        correlation[line] = (weighted @ heard).sum(axis=0)
        with_now[line] = (weighted @ now).sum(axis=0)
    mean = correlation.trace(axis1=1, axis2=2).real[:, None] / order
    correlation[:, np.arange(order), np.arange(order)] += regularisation * mean + 1e-20
    solved = np.linalg.solve(correlation, with_now)
    return solved.reshape(lines, taps, channels, channels).astype(np.complex64)


def _past(line: npt.NDArray[np.complex64], delay: int, taps: int) -> npt.NDArray[np.complex64]:
    """(spans, frames − reach, taps · channels) of one line's (spans, channels, frames)."""
    spans, channels, frames = line.shape
    counted = max(0, frames - delay - taps + 1)
    windows = sliding_window_view(line, taps, axis=2)[:, :, :counted]
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1)).reshape(spans, counted, taps * channels)


def predict(spectra: Spectra, filters: Filters, delay: int) -> Spectra:
    """What the filters make of the past, (lines, channels, frames); before the first frame there was silence."""
    lines, taps, channels = filters.shape[:3]
    frames = spectra.shape[2]
    predicted = np.zeros_like(spectra)
    for tap in range(taps):
        ago = delay + taps - 1 - tap
        if ago >= frames:
            continue
        for of in range(channels):
            for by in range(channels):
                predicted[:, of, ago:] += filters[:, tap, by, of][:, None] * spectra[:, by, : frames - ago]
    return predicted
