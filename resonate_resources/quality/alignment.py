"""Bringing a candidate to the reference's place in time, so that it is its sound that is compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from resonate_resources.quality.readings import ONSETS_PER_S, RATE, Matrix
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import Mono

_FARTHEST_S = 0.5  # encoder delays and filters stay under 0.1 s
_LANDMARK_S = 2.0
_NEAR_S = 0.01
_SAME_WAVE = 0.7
"""Of a correlation: a master's, not that of the same notes played anew."""


@dataclass(frozen=True)
class Landmark:
    """The stretch of a recording in which most begins: mono at RATE, from start_s on."""

    wave: Mono
    start_s: float

    @classmethod
    def of(cls, recording: Recording, onset: Matrix) -> Landmark:
        """onset: of that recording, a hundred a second."""
        frames = round(_LANDMARK_S * ONSETS_PER_S)
        sums = np.cumsum(np.pad(onset.astype(np.float64), (1, frames)))
        start_s = int(np.argmax(sums[frames:] - sums[:-frames])) / ONSETS_PER_S
        return cls(_wave(recording, start_s, start_s + _LANDMARK_S), start_s)

    def lag_in(self, candidate: Recording, lag: int) -> int:
        """What find_lag found, in frames at RATE, to the frame where both have the same wave; else as it was."""
        from scipy.signal import correlate

        start_s = self.start_s + lag / RATE - _NEAR_S
        wave = _wave(candidate, start_s, start_s + _LANDMARK_S + 2 * _NEAR_S)
        around = correlate(wave, self.wave, "valid", "fft")
        best = int(np.abs(around).argmax())
        under = wave[best : best + len(self.wave)]
        norm = float(np.linalg.norm(under) * np.linalg.norm(self.wave))
        if norm <= 0 or abs(float(around[best])) < _SAME_WAVE * norm:
            return lag
        return lag + best - round(_NEAR_S * RATE)


def _wave(recording: Recording, start_s: float, end_s: float) -> Mono:
    """Silence before and behind the recording."""
    start, end = (round(at * recording.sample_rate) for at in (start_s, end_s))
    samples = recording.read(max(0, start), max(0, end)).mean(axis=0)
    padded = np.pad(samples, (max(0, -start), 0))
    padded = np.pad(padded, (0, max(0, end - start - len(padded))))
    return np.asarray(soxr.resample(padded.astype(np.float32), recording.sample_rate, RATE), np.float32)


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
