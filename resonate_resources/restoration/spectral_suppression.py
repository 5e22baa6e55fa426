"""Gains that take noise of a known spectrum off: the log-spectral amplitude estimator of Ephraim and Malah.

"Speech enhancement using a minimum mean-square error log-spectral amplitude estimator", IEEE Trans. ASSP 33 (1985).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

_KEPT = 0.98
"""Of the last window's estimate in the a-priori ratio: the paper's; less lets musical noise through (Cappé, IEEE
Trans. Speech Audio Process. 2, 1994)."""
_NEW = np.float32(0.2)
"""Of a band's mean power in each window: 60 ms are heard."""
_MARGIN = np.float32(0.5)
"""Of the noise's power: how wrong its measured level may be."""


class SuppressionGains:
    """Of windows in the order of time; one line after another keeps its a-priori signal-to-noise ratio.

    floor: the least gain, 0 to 1.
    """

    def __init__(self, floor: float, edges: npt.NDArray[np.int64]) -> None:
        self._floor = np.float32(floor)
        self._edges, self._widths = edges, np.diff(edges)
        self._heard: Plane = np.zeros(len(edges) - 1, np.float32)
        self._left: Plane = np.zeros(len(edges) - 1, np.float32)
        self._least = np.float32(floor**2)
        self._clean: npt.NDArray[np.float32] | None = None

    def of(self, power: Plane, noise: Plane) -> Plane:
        """(times, lines) from the power of each line and the noise's mean power there; 1 where that is 0."""
        gains = np.empty_like(power)
        clean = power[0] * 0 if self._clean is None else self._clean
        for time in range(len(power)):
            level = np.maximum(noise[time], np.float32(1e-20))
            posterior = power[time] / level
            prior = _KEPT * clean / level + (1 - _KEPT) * np.maximum(posterior - 1, 0)
            prior = np.maximum(prior, self._least)
            wiener = prior / (1 + prior)
            gain = np.minimum(wiener * _from_table(wiener * posterior), 1)
            kept = np.square(gain) * posterior
            gains[time] = np.maximum(gain, self._bands_floor(posterior, kept))
            clean = kept * level
        self._clean = clean
        return np.where(noise > 0, gains, np.float32(1))

    def _bands_floor(self, posterior: Plane, kept: Plane) -> Plane:
        """(lines,): what a band has over its noise is given back to it as noise where its lines were taken for
        noise: decays and what is dense sound on, quieter, and the band keeps its level."""
        first, last = self._edges[0], self._edges[-1]
        heard, left = (
            np.asarray(np.add.reduceat(each[first:last], self._edges[:-1] - first) / self._widths, np.float32)
            for each in (posterior, kept)
        )
        self._heard = self._heard + _NEW * (heard - self._heard)
        self._left = self._left + _NEW * (left - self._left)
        missing = np.clip(self._heard - 1 - _MARGIN - self._left, self._floor**2, 1)
        floor = np.full(len(posterior), self._floor)
        floor[first:last] = np.repeat(np.sqrt(missing), self._widths)
        return floor


_LOG_FIRST, _LOG_LAST, _STEPS = -12.0, 4.0, 256


def _from_table(values: Plane) -> Plane:
    """exp(E₁(v) / 2), to a thousandth."""
    logs = np.log(np.maximum(values, np.float32(np.exp(_LOG_FIRST))))
    at = np.clip((logs - _LOG_FIRST) * _STEPS, 0, (_LOG_LAST - _LOG_FIRST) * _STEPS).astype(np.int32)
    return _table()[at]


@cache
def _table() -> Plane:
    from scipy.special import exp1

    logs = np.arange(_LOG_FIRST, _LOG_LAST + 1 / _STEPS, 1 / _STEPS)
    return np.asarray(np.exp(exp1(np.exp(logs)) / 2), np.float32)
