"""Reverberation predicted from what was heard before it: weighted prediction error, in every line of the spectrum.

A room that stands still answers each moment of a line with the same echoes, whatever is played: the filter that
best predicts the line from its own past, beyond the direct sound and its window, predicts the late reverberation.
Moments count by the inverse of their power (Nakatani et al., "Speech dereverberation based on variance-normalized
delayed linear prediction", IEEE Trans. ASLP 18, 2010); both channels predict both (Yoshioka and Nakatani, ibid.
20, 2012). nara_wpe computes the same of a recording that is whole in memory, at double precision; it is a peer in
tests.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.restoration.short_time import Spectra

Filters = npt.NDArray[np.complex64]
"""(taps, channels heard, channels predicted, lines), the longest ago first."""


def fit_filters(
    spans: npt.NDArray[np.complex64], delay: int, taps: int, loudest_parts: float, regularisation: float
) -> Filters:
    """The filters that best predict each moment from those `delay` to `delay + taps - 1` before it, in all spans.

    spans: (spans, channels, times, lines); none is predicted from another. loudest_parts: a moment counts no more
    than one of that part of the line's loudest power; 0 is WPE as published, by which silence between notes
    outweighs all else. regularisation: energy added to each channel and tap, in parts of their mean.
    """
    channels, lines = spans.shape[1], spans.shape[3]
    order = taps * channels
    correlation = np.zeros((lines, order, order), np.complex128)
    with_now = np.zeros((lines, order, channels), np.complex128)
    for line, each in enumerate(np.ascontiguousarray(spans.transpose(3, 0, 1, 2))):
        heard = _past(each, delay, taps)
        now = each[:, :, delay + taps - 1 :].transpose(0, 2, 1)
        power = np.square(np.abs(now)).mean(axis=2)
        least = np.float32(max(loudest_parts, 1e-10) * float(power.max(initial=1e-20)))
        weighted = (heard.conj() / np.maximum(power, least)[:, :, None]).transpose(0, 2, 1)
        # Span by span: products so small that BLAS leaves them to one thread, which is faster and always the same.
        correlation[line] = (weighted @ heard).sum(axis=0)
        with_now[line] = (weighted @ now).sum(axis=0)
    mean = correlation.trace(axis1=1, axis2=2).real[:, None] / order
    correlation[:, np.arange(order), np.arange(order)] += regularisation * mean + 1e-20
    solved = np.linalg.solve(correlation, with_now).reshape(lines, taps, channels, channels)
    return np.ascontiguousarray(solved.transpose(1, 2, 3, 0), np.complex64)


def _past(line: npt.NDArray[np.complex64], delay: int, taps: int) -> npt.NDArray[np.complex64]:
    """What each moment that has a whole past is predicted from, (spans, moments, taps · channels)."""
    spans, channels, times = line.shape
    moments = max(0, times - delay - taps + 1)
    windows = sliding_window_view(line, taps, axis=2)[:, :, :moments]
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1)).reshape(spans, moments, taps * channels)


class Predictor:
    """What filters make of the past; before the first moment there was silence. Its state is that past."""

    def __init__(self, filters: Filters, delay: int) -> None:
        taps, channels, _, lines = filters.shape
        self._filters, self._delay = filters, delay
        self._past = np.zeros((channels, delay + taps - 1, lines), np.complex64)

    def predict(self, spectra: Spectra) -> Spectra:
        """Of the next moments, (channels, times, lines); 0 in lines beyond those that have filters."""
        taps, channels, _, lines = self._filters.shape
        times = spectra.shape[1]
        heard = np.concatenate([self._past, spectra[:, :, :lines]], axis=1)
        self._past = heard[:, times:]
        predicted = np.zeros_like(spectra)
        for tap in range(taps):
            for of in range(channels):
                for by in range(channels):
                    predicted[of, :, :lines] += self._filters[tap, by, of] * heard[by, tap : tap + times]
        return predicted
