"""A look-ahead true-peak limiter.

Why not pedalboard's: its Limiter raises level, and its BrickwallLimiter lets gain fall within one sample, by
1.6 dB at a moderate peak, which is a click. Here gain falls along a smooth curve that is down when the peak comes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.true_peak import AFTER, BEFORE, interpolation_matrix, peaks_between

_Decibels = npt.NDArray[np.float64]

LOOK_AHEAD_SECONDS = 0.003
RELEASE_SECONDS = 0.08
"""Time in which reduction in dB falls to 1/e: short enough not to pump, long enough not to distort bass."""

_RELEASED_DB = 1e-4
_CONTEXT = BEFORE + 1  # frames that the interpolation looks back on


class TruePeakLimiter:
    """Limits audio given block by block to a true peak of ceiling_db (dBTP), one gain for all channels.

    Away from peaks over the ceiling samples pass unchanged. `process` returns frames once their gain is known,
    so `latency` fewer in all than it got; `flush` returns the rest. sample_rate in Hz, under 96 kHz.
    """

    def __init__(self, sample_rate: int, channels: int, ceiling_db: float) -> None:
        self._ceiling = 10 ** (ceiling_db / 20)
        self._interpolation = interpolation_matrix(4)
        self._half = max(1, round(sample_rate * LOOK_AHEAD_SECONDS / 2))  # of the look-ahead, in frames
        self._decay = 1 / (RELEASE_SECONDS * sample_rate)
        # A look-ahead of silence goes before, in which gain may fall for a peak at the very start.
        self._lead_in = 2 * self._half
        self._samples = np.zeros((channels, _CONTEXT + self._lead_in), np.float32)  # not yet returned
        self._reduction = np.zeros(2 * self._half)  # before smoothing, of the last look-ahead returned
        self.latency = 2 * self._half + AFTER
        self.most_reduction_db = 0.0

    def process(self, block: Samples) -> Samples:
        """The next (channels, frames)."""
        samples = np.concatenate([self._samples, block], axis=1)
        known = samples.shape[1] - _CONTEXT - self.latency
        if known <= 0:
            self._samples = samples
            return samples[:, :0]
        reduction = np.concatenate([self._reduction, self._release(self._hold(self._excess(samples)))])
        self._reduction = reduction[-2 * self._half :]
        self._samples = samples[:, known:]
        output = samples[:, _CONTEXT : _CONTEXT + known]
        lead_in, self._lead_in = min(known, self._lead_in), max(0, self._lead_in - known)
        if not reduction.any():
            return output[:, lead_in:]
        # Two means, each over half the look-ahead: a smooth fall, complete when the peak comes.
        smooth = _mean(_mean(reduction, self._half + 1), self._half + 1)
        self.most_reduction_db = max(self.most_reduction_db, float(smooth.max()))
        gain: Samples = np.power(10, smooth / -20).astype(np.float32)
        return (output * gain)[:, lead_in:]

    def flush(self) -> Samples:
        """The last `latency` frames."""
        return self.process(np.zeros((len(self._samples), self.latency), np.float32))

    def _excess(self, samples: Samples) -> _Decibels:
        """dB that the samples, or the values between them and their neighbours, are over the ceiling."""
        at = np.abs(samples).max(axis=0)[_CONTEXT : samples.shape[1] - AFTER]
        between = peaks_between(np.pad(samples, ((0, 0), (0, 64))), self._interpolation)[: at.size + 1]
        peaks = np.maximum(np.maximum(at, between[:-1]), between[1:])
        return np.asarray(20 * np.log10(np.maximum(peaks / self._ceiling, 1.0)), np.float64)

    def _hold(self, excess: _Decibels) -> _Decibels:
        """The most that comes within the look-ahead."""
        from scipy.ndimage import maximum_filter1d

        held = maximum_filter1d(excess, 2 * self._half + 1)
        return np.asarray(held[self._half : -self._half], np.float64)

    def _release(self, held: _Decibels) -> _Decibels:
        """r[n] = max(held[n], r[n − 1]·e^(−decay)), as a running maximum of log held[n] + n·decay."""
        last = self._reduction[-1]
        if not last and not held.any():
            return held
        ramp = self._decay * np.arange(held.size + 1)
        with np.errstate(divide="ignore"):  # log 0 = −inf is what is meant
            levels = np.log(np.concatenate([[last], held]))
        released = np.exp(np.maximum.accumulate(levels + ramp) - ramp)[1:]
        return np.where(released < _RELEASED_DB, 0.0, released)


def _mean(values: _Decibels, length: int) -> _Decibels:
    """Mean of each run of so many values."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((sums[length:] - sums[:-length]) / length, np.float64)
