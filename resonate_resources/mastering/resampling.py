"""The sample rate of a master."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from resonate_resources.audio import Recording, Samples, write_recording


def resample(source: Recording, path: Path, sample_rate: int) -> Recording:
    """Write source at another sample rate in Hz, of the same duration to the nearest frame (at least one)."""
    missing = max(1, round(source.frames * sample_rate / source.sample_rate))
    with write_recording(path, sample_rate, source.channels, missing) as writer:
        for block in _resampled(source, sample_rate):
            writer.write(block[:, :missing])
            missing -= min(missing, block.shape[1])
    return writer.recording


def _resampled(source: Recording, sample_rate: int) -> Iterator[Samples]:
    """Blocks at the new rate, and a little silence after the end: soxr rounds lengths its own way."""
    import soxr

    stream = soxr.ResampleStream(
        source.sample_rate, sample_rate, source.channels, dtype="float32", quality="VHQ"
    )
    for block in source.blocks():
        yield stream.resample_chunk(np.ascontiguousarray(block.T)).T
    silence = np.zeros((source.sample_rate // 10, source.channels), np.float32)
    yield stream.resample_chunk(silence, last=True).T
