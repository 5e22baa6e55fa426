"""From cues to masks: a small network at every bin, fitted on rendered songs whose stems are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral.cues import Cues
from resonate_resources.separation.spectral.running import at_least

Weights = npt.NDArray[np.float32]

POSITIONS = 48
"""Points on a logarithmic frequency axis between which weights are interpolated."""
_SLAB_TIMES = 4
"""Times worked on at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class MaskNetwork:
    """Two rectified layers of n units and a softmax over the stems; weights (out, in).

    What is the same for a whole time (frames) or for a frequency throughout (position) is weighed once.
    """

    planes: Weights
    frames: Weights
    position: Weights
    bias: Weights
    hidden: Weights
    hidden_bias: Weights
    out: Weights
    out_position: Weights
    out_bias: Weights

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Weights], prefix: str) -> MaskNetwork:
        """The network whose arrays are named prefix + field."""
        return cls(**{name: arrays[prefix + name] for name in cls.__dataclass_fields__})

    def masks(self, cues: Cues, bin_hz: float) -> npt.NDArray[np.float32]:
        """(stems, time, bins), 0…1, summing to one over stems."""
        times, bins = cues.magnitude.shape
        position = frequency_position(bins, bin_hz)
        by_bin = self.position @ position.T
        by_time = self.frames @ cues.frames.T + self.bias[:, None]
        out_by_bin = self.out_position @ position.T + self.out_bias[:, None]
        hidden = np.concatenate([self.hidden, self.hidden_bias[:, None]], axis=1)
        masks = np.empty((len(self.out), times, bins), np.float32)
        slab = min(_SLAB_TIMES, times)
        # After the planes, which of the slab's times it is: what is the same for a whole time is its weight.
        inputs = np.empty((len(cues.planes) + slab, slab, bins), np.float32)
        inputs[len(cues.planes) :] = np.eye(slab, dtype=np.float32)[:, :, None]
        first = np.ones((len(self.planes) + 1, slab, bins), np.float32)  # the last unit is always 1
        second = np.empty((len(self.hidden), slab, bins), np.float32)
        scores = np.empty((len(self.out), slab, bins), np.float32)
        for start in (*range(0, times - slab, slab), times - slab):
            now = slice(start, start + slab)
            np.stack([plane[now] for plane in cues.planes], out=inputs[: len(cues.planes)])
            _weighed(np.concatenate([self.planes, by_time[:, now]], axis=1), inputs, first[:-1])
            first[:-1] += by_bin[:, None]
            at_least(first, np.float32(0))
            _weighed(hidden, first, second)
            at_least(second, np.float32(0))
            _weighed(self.out, second, scores)
            scores += out_by_bin[:, None]
            scores -= scores.max(0)
            np.exp(scores, out=scores)
            np.divide(scores, scores.sum(0), out=masks[:, now])
        return masks


def _weighed(weights: Weights, values: Weights, into: Weights) -> None:
    """Fill `into` (out, time, bins), contiguous, with sums of values (in, time, bins) by weights (out, in)."""
    np.matmul(weights, values.reshape(len(values), -1), out=into.reshape(len(into), -1))


def frequency_position(bins: int, bin_hz: float) -> Weights:
    """(bins, POSITIONS): triangles on a logarithmic axis from 20 Hz to 16 kHz."""
    octaves = np.log2(np.maximum(np.arange(bins) * bin_hz, 20) / 20)
    point = octaves / np.log2(16000 / 20) * (POSITIONS - 1)
    weights: Weights = np.maximum(0, 1 - np.abs(point[:, None] - np.arange(POSITIONS))).astype(np.float32)
    return weights
