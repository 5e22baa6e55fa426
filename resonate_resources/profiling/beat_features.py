"""What is heard at beats and between them: what tells a downbeat from a beat, and the right tempo from its half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.beat_network import FRAME_RATE, Heard
from resonate_resources.signal.band_levels import Floats

Seconds = npt.NDArray[np.float64]

PLACES = (0.0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
"""Of a beat, at which something may begin: on it, at its quarters and thirds."""
_NEAR = 2  # frames: 40 ms
_AROUND = 500  # frames, 10 s: what is loud there is loud


def log_odds(sure: Floats) -> Floats:
    return np.log((sure + np.float32(0.02)) / (np.float32(1.02) - sure))


def relative_rises(rises: Floats) -> Floats:
    """(frames, bands): against the strongest within ten seconds; of each the strongest within 40 ms."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    loudest = maximum_filter1d(rises, _AROUND, axis=0, mode="nearest")
    usual = uniform_filter1d(loudest, _AROUND, axis=0, mode="nearest")
    return np.asarray(maximum_filter1d(rises / (usual + np.float32(0.02)), 2 * _NEAR + 1, axis=0), np.float32)


@dataclass(frozen=True)
class Frames:
    """What is heard at 50 Hz, made ready for looking up. sure: (frames, 2), log odds of a beat and of a downbeat
    within 40 ms. rises: (frames, 6) of `relative_rises`. pitch_classes: (frames + 1, 12), the sum so far."""

    sure: Floats
    rises: Floats
    pitch_classes: npt.NDArray[np.float64]


def framed(heard: Heard) -> Frames:
    from scipy.ndimage import maximum_filter1d

    sure = maximum_filter1d(heard.activations[:, :2], 2 * _NEAR + 1, axis=0)
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(heard.pitch_classes, axis=0, dtype=np.float64)])
    return Frames(log_odds(sure), relative_rises(heard.rises), total)


def at_beats(frames: Frames, beats: Seconds) -> Floats:
    """(beats, 14): log odds of a beat and of a downbeat, rises in six bands, how far harmony moves, and what
    begins at quarters, thirds and half of the beat, against what begins on it."""
    intervals = np.diff(beats, append=2 * beats[-1] - beats[-2])
    last = len(frames.sure) - 1
    places = (beats[:, np.newaxis] + intervals[:, np.newaxis] * PLACES) * FRAME_RATE
    at = np.clip(np.round(places), 0, last).astype(np.int64)
    rises = frames.rises[at]
    between = rises[:, 1:].mean(axis=2) / (rises[:, :1].mean(axis=2) + 0.1)
    return np.column_stack([frames.sure[at[:, 0]], rises[:, 0], _harmony_moves(frames, at[:, 0]), between])


def at_times(frames: Frames, times: Seconds) -> Floats:
    """(times, 8): log odds of a beat and of a downbeat, and rises in six bands."""
    at = np.clip(np.round(times * FRAME_RATE), 0, len(frames.sure) - 1).astype(np.int64)
    return np.column_stack([frames.sure[at], frames.rises[at]])


def _harmony_moves(frames: Frames, at: npt.NDArray[np.int64]) -> Floats:
    """(beats,): distance of what sounds in the two beats after each from the two before, over the levels of
    both."""
    total = frames.pitch_classes
    edges = np.concatenate([at[:1], at[:1], at, np.full(2, len(total) - 1)])
    means = (total[edges[2:]] - total[edges[:-2]]) / np.maximum(1, edges[2:] - edges[:-2])[:, np.newaxis]
    before, after = means[:-2], means[2:]
    distance = np.abs(after - before).sum(axis=1) / ((after + before).sum(axis=1) + 0.1)
    return np.asarray(distance, np.float32)
