"""Timbre: how far apart two recordings are for a network that learnt to name instruments, voices and genres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from resonate_resources.models.weights import models_directory
from resonate_resources.quality import audio_encoders
from resonate_resources.quality.difference import Array, Difference
from resonate_resources.quality.musicnn import HOP, SAMPLE_RATE, Starts, hear, window_starts
from resonate_resources.recordings.recording import Recording

_LOUDNESS_LUFS = -16.0
"""At which the network listens to all: it hears levels, and was trained on finished music."""


@dataclass(frozen=True)
class Timbre:
    """embeddings: (windows, 200), of the network's penultimate layer; starts: where each window begins.

    encoded: the mean embedding of a larger network, where a user has one, and its name."""

    embeddings: Array
    starts: Starts
    encoded: tuple[Array, str] | None = None


def hear_timbre(
    recording: Recording, loudness_lufs: float, skip_s: float = 0.0, starts: Starts | None = None
) -> Timbre:
    """What the network hears in a recording of that loudness (-inf: as it is), from skip_s on. starts: of another
    recording, to be compared with it."""
    gain_db = _LOUDNESS_LUFS - loudness_lufs if math.isfinite(loudness_lufs) else 0.0
    starts = window_starts(recording) if starts is None else starts
    heard = hear(recording, starts, gain_db=gain_db, skip_s=skip_s)
    encoded = None
    if (folder := audio_encoders.folder_in(models_directory())) is not None:
        encoder = audio_encoders.load(folder)
        begin_s = (starts * HOP / SAMPLE_RATE + skip_s).tolist()
        vectors = audio_encoders.embeddings(encoder, recording, begin_s, gain_db=gain_db)
        encoded = vectors.mean(axis=0, dtype=np.float64), encoder.name
    return Timbre(heard.embeddings.astype(np.float64), starts, encoded)


def timbre(reference: Timbre, candidate: Timbre) -> Difference:
    """1 − the cosine of musicnn's mean embeddings. A larger network's is told beside it: its scale is not known."""
    means = reference.embeddings.mean(axis=0), candidate.embeddings.mean(axis=0)
    cosine = _cosine(*means)
    apart = np.array(
        [1 - _cosine(*pair) for pair in zip(reference.embeddings, candidate.embeddings, strict=True)]
    )
    begin = reference.starts * HOP / SAMPLE_RATE
    seconds = np.arange(math.ceil(begin[-1] + 3))
    course = np.interp(seconds, begin, apart)
    detail = f"musicnn: cosine {cosine:.3f}"
    if reference.encoded is not None and candidate.encoded is not None:
        detail += (
            f"; {reference.encoded[1]}: {_cosine(reference.encoded[0], candidate.encoded[0]):.3f}, not scored"
        )
    return Difference(1 - cosine, detail, course)


def _cosine(a: Array, b: Array) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(1.0, float(a @ b) / max(norms, 1e-12))
