"""Where one section of a track gives way to the next (Foote, "Automatic audio segmentation", ICME 2000)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.quality.features import FRAMES_PER_S, Features

Array = npt.NDArray[np.float64]

_HALF_KERNEL_S = 8  # four bars at 120 BPM on either side
_PROMINENCE = 0.15  # of a change between wholly unlike halves
_SPACING_S = 6
_TOLERANCE_S = 3  # MIREX structural segmentation


@dataclass(frozen=True)
class SectionMatch:
    """f_measure: of the candidate's boundaries against the reference's, ±3 s, 0…1.

    agreement: part of the seconds that are most like the same section of the reference in both, 0…1.
    """

    f_measure: float
    agreement: float


def boundaries(features: Features) -> Array:
    """Times in s at which sound and harmony turn into others, rising; the ends of the track are not among them."""
    return _boundaries(_description(features))


def match_sections(reference: Features, candidate: Features) -> SectionMatch:
    """How the form of the candidate follows that of the reference; both of one length."""
    rows, other_rows = _description(reference), _description(candidate)
    edges, other_edges = _boundaries(rows), _boundaries(other_rows)
    spans = np.split(rows, edges.astype(int))
    centres = np.stack([span.mean(axis=0) for span in spans])
    labels, other_labels = ((part @ centres.T).argmax(axis=1) for part in (rows, other_rows))
    return SectionMatch(_f_measure(edges, other_edges), float(np.mean(labels == other_labels)))


def _boundaries(rows: Array) -> Array:
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(_novelty(rows), height=_PROMINENCE, prominence=_PROMINENCE / 2, distance=_SPACING_S)
    return np.asarray(peaks, np.float64)


def _novelty(rows: Array) -> Array:
    """Once a second, −1…1: how unlike the eight seconds before are to the eight after, each like itself.

    Only similarities near the diagonal are computed: time and memory are linear in length.
    """
    half = _HALF_KERNEL_S
    padded = np.pad(rows, ((half, half), (0, 0)), mode="edge")
    offsets = np.arange(-half, half) + 0.5
    signed_taper = np.exp(-0.5 * (offsets / (half / 2)) ** 2) * np.sign(offsets)
    kernel = np.outer(signed_taper, signed_taper)
    kernel /= np.abs(kernel).sum()
    windows = (padded[second : second + 2 * half] for second in range(len(rows)))
    return np.array([np.sum(kernel * (window @ window.T)) for window in windows])


def _description(features: Features) -> Array:
    """One row of length 1 per second: mel spectrum and chroma, of equal weight, each about the track's mean."""
    floor = max(float(features.mel.max()) * 1e-6, 1e-15)
    mel_db = 10 * np.log10(np.maximum(_seconds(features.mel), floor))
    chroma = np.sqrt(_seconds(features.chroma))
    chroma /= np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-6)
    parts = [part - part.mean(axis=0) for part in (mel_db, chroma)]
    spreads = [max(float(np.sqrt((part**2).sum(axis=1).mean())), 1e-6) for part in parts]
    rows = np.concatenate([part / spread for part, spread in zip(parts, spreads, strict=True)], axis=1)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _seconds(rows: npt.NDArray[np.float32]) -> Array:
    starts = np.arange(0, len(rows), FRAMES_PER_S)
    sums = np.add.reduceat(rows.astype(np.float64), starts, axis=0)
    return np.asarray(sums / np.diff(np.append(starts, len(rows)))[:, None])


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
