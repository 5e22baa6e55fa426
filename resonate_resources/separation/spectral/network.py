"""From cues to masks: a small network at every bin, fitted on rendered songs whose stems are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral.cues import Cues

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
        masks = np.empty((len(self.out), times, bins), np.float32)
        hidden = np.concatenate([self.hidden, self.hidden_bias[:, None]], axis=1)
        for start in range(0, times, _SLAB_TIMES):
            slab = slice(start, start + _SLAB_TIMES)
            planes = np.stack([plane[slab] for plane in cues.planes])
            planes = planes.reshape(len(planes), -1)
            first = np.ones((len(self.planes) + 1, planes.shape[1]), np.float32)  # the last unit is always 1
            np.matmul(self.planes, planes, out=first[:-1])
            units = first[:-1].reshape(len(self.planes), -1, bins)
            units += by_time[:, slab, None]
            units += by_bin[:, None]
            np.maximum(units, 0, out=units)
            units = hidden @ first
            np.maximum(units, 0, out=units)
            scores = (self.out @ units).reshape(len(masks), -1, bins)
            scores += out_by_bin[:, None]
            scores -= scores.max(0)
            np.exp(scores, out=scores)
            np.divide(scores, scores.sum(0), out=masks[:, slab])
        return masks


def frequency_position(bins: int, bin_hz: float) -> Weights:
    """(bins, POSITIONS): triangles on a logarithmic axis from 20 Hz to 16 kHz."""
    octaves = np.log2(np.maximum(np.arange(bins) * bin_hz, 20) / 20)
    point = octaves / np.log2(16000 / 20) * (POSITIONS - 1)
    weights: Weights = np.maximum(0, 1 - np.abs(point[:, None] - np.arange(POSITIONS))).astype(np.float32)
    return weights
