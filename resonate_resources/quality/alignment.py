"""Bringing a candidate to the reference's place in time, so that it is its sound that is compared."""

from __future__ import annotations

import numpy as np

from resonate_resources.quality.readings import ONSETS_PER_S, RATE, Matrix

_FARTHEST_S = 0.5  # encoder delays and filters stay under 0.1 s


def find_lag(reference: Matrix, candidate: Matrix) -> int:
    """By how many frames at RATE the candidate comes late (negative: early), within half a second.

    Both are onset strengths (frames,), a hundred a second. The lag is where their cross-correlation peaks, between
    frames by a parabola; 0 unless that is clearly above what no lag gives.
    """
    from scipy.signal import correlate, correlation_lags

    farthest = round(_FARTHEST_S * ONSETS_PER_S)
    correlation = correlate(candidate.astype(np.float64), reference.astype(np.float64), method="fft")
    lags = correlation_lags(len(candidate), len(reference))
    near = np.abs(lags) <= farthest
    correlation, lags = correlation[near], lags[near]
    best = int(np.argmax(correlation))
    if correlation[best] <= 1.01 * correlation[lags == 0].sum():
        return 0
    left, right = correlation[max(best - 1, 0)], correlation[min(best + 1, len(correlation) - 1)]
    curvature = left - 2 * correlation[best] + right
    aside = (left - right) / (2 * curvature) if curvature < 0 else 0.0
    return round(float(lags[best] + aside) * RATE / ONSETS_PER_S)
