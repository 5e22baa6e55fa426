"""Tone and density of a master, before it is brought to loudness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.compression import Compression, LinkedCompressor
from resonate_resources.signal.equaliser import Band, Equaliser

WORKING_LOUDNESS_LUFS = -20.0
"""The loudness at which thresholds are meant (K-20)."""


@dataclass(frozen=True)
class Shape:
    """Settings: bands of the equaliser, and of the compressor that holds a mix together."""

    bands: tuple[Band, ...]
    glue: Compression | None


_RUMBLE = (Band("high pass", 20.0),) * 2  # an offset and what is under hearing would cost headroom

SHAPES: dict[Preset, Shape] = {
    "conservative": Shape(_RUMBLE, None),
    "balanced": Shape(
        (*_RUMBLE, Band("low shelf", 100.0, 0.5), Band("high shelf", 10_000.0, 0.75)),
        Compression(threshold_db=-14.0, ratio=1.5, attack_ms=30.0, release_ms=200.0),
    ),
    "aggressive": Shape(
        (*_RUMBLE, Band("low shelf", 100.0, 1.0), Band("high shelf", 10_000.0, 1.5)),
        Compression(threshold_db=-18.0, ratio=2.0, attack_ms=15.0, release_ms=120.0),
    ),
}


def shaped(blocks: Iterator[Samples], sample_rate: int, shape: Shape, gain_db: float) -> Iterator[Samples]:
    """Blocks of (channels, frames) with gain_db, then through the shape; no latency."""
    equaliser = Equaliser(shape.bands, sample_rate)
    compressor = shape.glue and LinkedCompressor(shape.glue, sample_rate)
    gain = np.float32(10 ** (gain_db / 20))
    for block in blocks:
        filtered = equaliser.process(block * gain)
        yield filtered * compressor.gain(filtered) if compressor else filtered
