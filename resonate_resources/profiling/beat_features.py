"""What is heard at beats and between them: what tells a downbeat from a beat, and the right tempo from its half."""

from __future__ import annotations

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


def at_beats(heard: Heard, beats: Seconds) -> Floats:
    """(beats, 14): log odds of a beat and of a downbeat, rises in six bands, how far harmony moves, and what
    begins at quarters, thirds and half of the beat, against what begins on it."""
    from scipy.ndimage import maximum_filter1d

    intervals = np.diff(beats, append=2 * beats[-1] - beats[-2])
    last = len(heard.activations) - 1
    places = (beats[:, np.newaxis] + intervals[:, np.newaxis] * PLACES) * FRAME_RATE
    frames = np.clip(np.round(places), 0, last).astype(np.int64)
    sure = maximum_filter1d(heard.activations[:, :2], 2 * _NEAR + 1, axis=0)[frames[:, 0]]
    rises = relative_rises(heard.rises)[frames]
    between = rises[:, 1:].mean(axis=2) / (rises[:, :1].mean(axis=2) + 0.1)
    return np.column_stack([log_odds(sure), rises[:, 0], _harmony_moves(heard, frames[:, 0]), between])


def _harmony_moves(heard: Heard, frames: npt.NDArray[np.int64]) -> Floats:
    """(beats,): distance of what sounds in the two beats after each from the two before, over the levels of
    both."""
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(heard.pitch_classes, axis=0, dtype=np.float64)])
    edges = np.concatenate([frames[:1], frames[:1], frames, np.full(2, len(heard.pitch_classes))])
    means = (total[edges[2:]] - total[edges[:-2]]) / np.maximum(1, edges[2:] - edges[:-2])[:, np.newaxis]
    before, after = means[:-2], means[2:]
    distance = np.abs(after - before).sum(axis=1) / ((after + before).sum(axis=1) + 0.1)
    return np.asarray(distance, np.float32)
