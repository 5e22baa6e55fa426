"""Density of what was never mixed, before it is brought to loudness. Finished music has its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.compression import Compression, compressed

WORKING_LOUDNESS_LUFS = -20.0
"""The loudness at which thresholds are meant (K-20)."""

# Usual starting points of mastering practice, no standard.
GLUE: Mapping[Preset, Compression | None] = {
    "conservative": None,
    "balanced": Compression(
        threshold_db=-14.0, ratio=1.5, attack_ms=30.0, release_ms=200.0, look_ahead_ms=3.0
    ),
    "aggressive": Compression(
        threshold_db=-18.0, ratio=2.0, attack_ms=15.0, release_ms=120.0, look_ahead_ms=3.0
    ),
}


def glued(
    blocks: Iterator[Samples], sample_rate: int, settings: Compression, gain_db: float, part: float
) -> Iterator[Samples]:
    """Blocks of (channels, frames) with gain_db, then compressed by that part, 0 to 1, of what settings say; no
    latency."""
    gain = np.float32(10 ** (gain_db / 20))
    return compressed((block * gain for block in blocks), settings, sample_rate, part)
