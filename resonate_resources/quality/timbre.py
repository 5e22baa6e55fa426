"""Timbre: how far apart two recordings are for a network that learnt to name instruments, voices and genres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from resonate_resources.quality.difference import Array, Difference
from resonate_resources.quality.musicnn import HOP, SAMPLE_RATE, Starts, hear, window_starts
from resonate_resources.recordings.recording import Recording

_LOUDNESS_LUFS = -16.0
"""At which the network listens to all: it hears levels, and was trained on finished music."""


@dataclass(frozen=True)
class Timbre:
    """embeddings: (windows, 200), of the network's penultimate layer; starts: where each window begins."""

    embeddings: Array
    starts: Starts


def hear_timbre(
    recording: Recording, loudness_lufs: float, skip_s: float = 0.0, starts: Starts | None = None
) -> Timbre:
    """What the network hears in a recording of that loudness (-inf: as it is), from skip_s on. starts: of another
    recording, to be compared with it."""
    gain_db = _LOUDNESS_LUFS - loudness_lufs if math.isfinite(loudness_lufs) else 0.0
    starts = window_starts(recording) if starts is None else starts
    heard = hear(recording, starts, gain_db=gain_db, skip_s=skip_s)
    return Timbre(heard.embeddings.astype(np.float64), starts)


def timbre(reference: Timbre, candidate: Timbre) -> Difference:
    """1 − the cosine of the mean embeddings."""
    means = reference.embeddings.mean(axis=0), candidate.embeddings.mean(axis=0)
    cosine = _cosine(*means)
    apart = np.array(
        [1 - _cosine(*pair) for pair in zip(reference.embeddings, candidate.embeddings, strict=True)]
    )
    begin = reference.starts * HOP / SAMPLE_RATE
    seconds = np.arange(math.ceil(begin[-1] + 3))
    course = np.interp(seconds, begin, apart)
    return Difference(1 - cosine, f"musicnn: cosine {cosine:.3f}", course)


def _cosine(a: Array, b: Array) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(1.0, float(a @ b) / max(norms, 1e-12))
