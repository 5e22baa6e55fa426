"""Sections: where the timbre changes for longer, and which stretches between sound alike.

The profile tells a user the form of a track by this, and quality control judges by it whether a form was kept.

Fisher's criterion was chosen by measurement over the checkerboard novelty of Foote ("Automatic audio segmentation",
ICME 2000), of timbre or of timbre with chroma: see docs/measurements.md, "Sections".
"""

from __future__ import annotations

import string
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.timbre import TIMBRE_SECONDS

Floats = npt.NDArray[np.float32]

_SIDE = 16  # vectors compared on either side of a boundary: 8 s, two bars of slow music
_APART = 12  # vectors between boundaries at least: 6 s
_CHANGE = 0.9  # how far the sides' means lie apart, in deviations of a side's vectors from its mean
_ALIKE = 0.9  # cosine of two sections' mean timbres
_AUDIBLE_DB = 60.0  # what is further below the loudest band is silence


def find_boundaries(timbre: Floats) -> npt.NDArray[np.intp]:
    """The vectors with which a section begins, rising; the first one is not among them.

    timbre: (vectors, bands) in dB, one for every 0.51 s. Fisher's criterion for the 8 s on either side: the
    distance of their means over the deviation within them. Time and memory are linear.
    """
    from scipy.signal import find_peaks

    if len(timbre) <= _SIDE:
        return np.zeros(0, np.intp)
    padded = np.pad(audible(timbre).astype(np.float64), ((_SIDE, _SIDE), (0, 0)), mode="reflect")
    sums, squares = (np.cumsum(np.pad(values, ((1, 0), (0, 0))), axis=0) for values in (padded, padded**2))
    means = (sums[_SIDE:] - sums[:-_SIDE]) / _SIDE
    variances = ((squares[_SIDE:] - squares[:-_SIDE]) / _SIDE - means**2).clip(min=0).sum(axis=1)
    between = ((means[_SIDE:] - means[:-_SIDE]) ** 2).sum(axis=1)
    within = (variances[_SIDE:] + variances[:-_SIDE]) / 2
    change = np.sqrt(between / np.maximum(within, 1e-3))
    peaks, _ = find_peaks(change, height=_CHANGE, distance=_APART)
    return np.asarray(peaks, np.intp)


def label_sections(timbre: Floats, edges: list[int]) -> list[str]:
    """A, B, … in order of appearance; sections whose mean timbres point the same way share a letter.

    edges: the vectors at which sections begin, and the number of vectors.
    """
    heard = audible(timbre)
    overall = heard.mean(axis=0)
    directions: list[Floats] = []
    labels: list[str] = []
    for start, end in pairwise(edges):
        mean = heard[start:end].mean(axis=0) - overall
        direction = mean / np.maximum(np.linalg.norm(mean), np.float32(1e-12))
        likeness = [float(direction @ other) for other in directions]
        closest = int(np.argmax(likeness)) if likeness else -1
        known = closest >= 0 and likeness[closest] >= _ALIKE
        labels.append(labels[closest] if known else string.ascii_uppercase[len(set(labels)) % 26])
        directions.append(direction)
    return labels


def audible(timbre: Floats) -> Floats:
    """The levels without what is too far below the loudest to be heard."""
    return np.asarray(np.maximum(timbre, timbre.max(initial=-np.inf) - np.float32(_AUDIBLE_DB)), np.float32)


def seconds_of(vectors: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Times in s at which timbre vectors begin."""
    return np.asarray(vectors * TIMBRE_SECONDS, np.float64)
