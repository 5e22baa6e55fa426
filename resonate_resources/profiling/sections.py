"""Sections: where the timbre changes for longer, and which stretches between sound alike."""

from __future__ import annotations

import string
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.profiling.features import TIMBRE_SECONDS, Floats
from resonate_resources.profiling.profile import Section

_SIDE = 16  # vectors compared on either side of a boundary: 8 s, two bars of slow music
_APART = 8  # vectors between boundaries at least
_CHANGE = 1.0  # the sides' means lie further apart than each side's vectors from their mean
_ALIKE = 0.9  # cosine of two sections' mean timbres
_AUDIBLE_DB = 60.0  # what is further below the loudest band is silence


def find_sections(timbre: Floats, beats: npt.NDArray[np.float64], duration: float) -> list[Section]:
    """The sections of a recording, without gaps from 0 to its duration in seconds; they begin on beats.

    timbre: (vectors, bands) in dB, one for every 0.51 s. beats: in seconds, none where there is no beat.
    """
    if not len(timbre):
        return [Section(start_s=0, end_s=duration, label="A")]
    audible = np.maximum(timbre, timbre.max() - np.float32(_AUDIBLE_DB))
    starts = [0.0]
    for vector in find_changes(audible):
        time = vector * TIMBRE_SECONDS
        starts.append(float(beats[np.abs(beats - time).argmin()]) if len(beats) else time)
    starts = sorted(set(starts))
    edges = [*(round(start / TIMBRE_SECONDS) for start in starts), len(timbre)]
    labels = label_sections(audible, edges)
    return [
        Section(start_s=start, end_s=end, label=label)
        for (start, end), label in zip(pairwise([*starts, duration]), labels, strict=True)
    ]


def find_changes(vectors: Floats) -> list[int]:
    """The vectors (rows) with which something new begins, by Fisher's criterion for the 8 s on either side:
    the distance of their means over the deviation within them. Time and memory are linear."""
    from scipy.signal import find_peaks

    if len(vectors) <= _SIDE:
        return []
    padded = np.pad(vectors.astype(np.float64), ((_SIDE, _SIDE), (0, 0)), mode="reflect")
    sums, squares = (np.cumsum(np.pad(values, ((1, 0), (0, 0))), axis=0) for values in (padded, padded**2))
    means = (sums[_SIDE:] - sums[:-_SIDE]) / _SIDE
    variances = ((squares[_SIDE:] - squares[:-_SIDE]) / _SIDE - means**2).clip(min=0).sum(axis=1)
    between = ((means[_SIDE:] - means[:-_SIDE]) ** 2).sum(axis=1)
    within = (variances[_SIDE:] + variances[:-_SIDE]) / 2
    change = np.sqrt(between / np.maximum(within, 1e-3))
    peaks, _ = find_peaks(change, height=_CHANGE, distance=_APART)
    return [int(peak) for peak in peaks]


def label_sections(vectors: Floats, edges: list[int]) -> list[str]:
    """A, B, … in order of appearance; sections whose mean timbres point the same way share a letter.

    edges: the vectors at which sections begin, and the number of vectors.
    """
    overall = vectors.mean(axis=0)
    directions: list[Floats] = []
    labels: list[str] = []
    for start, end in pairwise(edges):
        mean = vectors[start:end].mean(axis=0) - overall
        direction = mean / np.maximum(np.linalg.norm(mean), np.float32(1e-12))
        likeness = [float(direction @ other) for other in directions]
        closest = int(np.argmax(likeness)) if likeness else -1
        known = closest >= 0 and likeness[closest] >= _ALIKE
        labels.append(labels[closest] if known else string.ascii_uppercase[len(set(labels)) % 26])
        directions.append(direction)
    return labels
