"""Bands that sum to what they were split from.

A filter of linear phase takes the lower part, and the upper one is the rest. What is done to one band alone still
adds up with the others, as nothing is moved in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.blocks import with_context
from resonate_resources.signal.linear_phase import SECONDS, Taps, convolve_by_each

Floats = npt.NDArray[np.float64]


def passed(hertz: Floats, edge_hz: float) -> Floats:
    """Gain of the lower part at each frequency: 1 up to half an octave under the edge, half at it, 0 from half an
    octave over it on; a raised cosine in log frequency."""
    octaves = np.log2(np.maximum(hertz, 1.0) / edge_hz)
    return np.asarray(0.5 - 0.5 * np.sin(np.pi * np.clip(octaves, -0.5, 0.5)), np.float64)


def low_pass(edge_hz: float, sample_rate: int) -> Taps:
    """Symmetric taps, as many as `linear_phase` gives, with that gain."""
    from scipy.signal import firwin2

    half = round(SECONDS * sample_rate / 2)
    hertz = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    return np.asarray(firwin2(2 * half + 1, hertz, passed(hertz, edge_hz), fs=sample_rate), np.float64)


def split(
    stream: Iterator[Samples], edges_hz: Sequence[float], sample_rate: int
) -> Iterator[tuple[Samples, Samples]]:
    """A stream of (channels, frames), part by part, each with its bands, (bands, channels, frames), the lowest
    first; without latency, of the same length. edges_hz rise. Bands sum to their part, up to rounding."""
    filters = [low_pass(hertz, sample_rate) for hertz in edges_hz]
    half = len(filters[0]) // 2
    for held in with_context(stream, half):
        whole = held[:, half : held.shape[1] - half]
        by_channel = [convolve_by_each(channel, filters, half) for channel in held]
        under = [np.stack(channels) for channels in zip(*by_channel, strict=True)]
        yield whole, np.stack([under[0], *(upper - lower for lower, upper in pairwise([*under, whole]))])
