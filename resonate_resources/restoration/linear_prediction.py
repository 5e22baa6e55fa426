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
    spans: list[Spectra], delay: int, taps: int, loudest_parts: float, regularisation: float
) -> Filters:
    """The filters that best predict frames from those `delay` to `delay + taps - 1` before them, in all spans.

    loudest_parts: a moment counts no more than one of that part of the line's loudest power; 0 is WPE as published,
    by which silence between notes outweighs all else. regularisation: energy added to each channel and tap, in parts
    of their mean. No span is predicted from another.
    """
    from scipy.linalg import solve

    lines, channels = spans[0].shape[:2]
    reach = delay + taps - 1
    filters = np.zeros((lines, taps, channels, channels), np.complex64)
    for line in range(lines):
        heard = np.concatenate([_past(span[line], reach, taps) for span in spans])
        now = np.concatenate([span[line, :, reach:].T for span in spans])
        power = np.square(np.abs(now)).mean(axis=1)
        loudest = float(power.max(initial=0.0))
        if loudest <= 0:
            continue
        weighted = heard.conj() / np.maximum(power, np.float32(max(loudest_parts, 1e-10) * loudest))[:, None]
        correlation = (weighted.T @ heard).astype(np.complex128)
        mean = correlation.trace().real / len(correlation)
        correlation[np.diag_indices_from(correlation)] += regularisation * mean + 1e-20
        solved = solve(correlation, (weighted.T @ now).astype(np.complex128), assume_a="her")
        filters[line] = solved.reshape(taps, channels, channels)
    return filters


def _past(line: Spectra, reach: int, taps: int) -> Spectra:
    """(frames − reach, taps · channels) of one line's (channels, frames)."""
    channels, frames = line.shape
    if frames <= reach:
        return np.zeros((0, taps * channels), np.complex64)
    windows = sliding_window_view(line, taps, axis=1)[:, : frames - reach]
    return np.ascontiguousarray(windows.transpose(1, 2, 0)).reshape(frames - reach, taps * channels)


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
