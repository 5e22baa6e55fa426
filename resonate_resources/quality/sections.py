"""How the form of one recording follows that of another: by the sections that the profile tells, too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.sections import audible, find_boundaries, seconds_of

Array = npt.NDArray[np.float64]
Timbre = npt.NDArray[np.float32]

_TOLERANCE_S = 3  # MIREX structural segmentation
_SILENCE_DB = -120.0  # what band levels say of it


@dataclass(frozen=True)
class SectionMatch:
    """f_measure: of the candidate's boundaries against the reference's, ±3 s, 0…1.

    agreement: part of the time in which what sounds is most like the same section of the reference in both, 0…1.
    """

    f_measure: float
    agreement: float


def match_sections(reference: Timbre, candidate: Timbre) -> SectionMatch:
    """How the form of the candidate follows that of the reference; silence stands in for what one lacks."""
    length = max(len(reference), len(candidate))
    if not length:
        return SectionMatch(1.0, 1.0)
    reference, candidate = (
        np.pad(timbre, ((0, length - len(timbre)), (0, 0)), constant_values=_SILENCE_DB)
        for timbre in (reference, candidate)
    )
    edges, other_edges = find_boundaries(reference), find_boundaries(candidate)
    rows, other_rows = _directions(reference), _directions(candidate)
    centres = np.stack([span.mean(axis=0) for span in np.split(rows, edges)])
    labels, other_labels = ((part @ centres.T).argmax(axis=1) for part in (rows, other_rows))
    return SectionMatch(
        _f_measure(seconds_of(edges), seconds_of(other_edges)), float(np.mean(labels == other_labels))
    )


def _directions(timbre: Timbre) -> Array:
    """One row of length 1 per vector: how it differs from the recording's mean."""
    heard = audible(timbre).astype(np.float64)
    rows = heard - heard.mean(axis=0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _f_measure(edges: Array, other_edges: Array) -> float:
    """2 · matched / (edges + other edges), each matched once, in order; 1 where there are none at all."""
    if not len(edges) and not len(other_edges):
        return 1.0
    matched, unused = 0, list(other_edges)
    for edge in edges:
        near = [other for other in unused if abs(other - edge) <= _TOLERANCE_S]
        if near:
            matched += 1
            unused.remove(min(near, key=lambda other: abs(other - edge)))
    return 2 * matched / (len(edges) + len(other_edges))
