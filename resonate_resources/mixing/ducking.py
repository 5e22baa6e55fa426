"""Side-chain ducking: stems make room when the key is struck."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.kicks import Seconds

LOOK_AHEAD_S = 0.005
"""Gain falls so long before a stroke, along half a cosine: no click, and it is down when the stroke comes."""
_GONE = 1e-4  # of the depth: what is left of it is not heard


def ducked(
    stream: Iterator[Samples],
    strokes: Seconds,
    depth_db: float,
    release_s: float,
    sample_rate: int,
    start: int = 0,
) -> Iterator[Samples]:
    """A stream, depth_db softer at strokes, in s, rising. start: where in the track it begins, in frames."""
    pulse = _pulse(release_s, sample_rate)
    begins = np.round(strokes * sample_rate).astype(np.int64) - round(LOOK_AHEAD_S * sample_rate)
    at = start
    for block in stream:
        frames = block.shape[1]
        reduction = np.zeros(frames)
        first, last = np.searchsorted(begins, [at - len(pulse) + 1, at + frames])
        for begin in begins[first:last]:
            low, high = max(at, int(begin)), min(at + frames, int(begin) + len(pulse))
            part = reduction[low - at : high - at]
            np.maximum(part, pulse[low - int(begin) : high - int(begin)], out=part)
        at += frames
        yield block * np.power(10, reduction * (-depth_db / 20)).astype(np.float32)


def _pulse(release_s: float, sample_rate: int) -> npt.NDArray[np.float64]:
    """Of one stroke, 0 to 1, which begins a look-ahead before it."""
    ahead = round(LOOK_AHEAD_S * sample_rate)
    behind = np.arange(round(-np.log(_GONE) * release_s * sample_rate)) / sample_rate
    rise = (1 - np.cos(np.pi * np.arange(ahead) / max(1, ahead))) / 2
    return np.concatenate([rise, np.exp(-behind / release_s)])
