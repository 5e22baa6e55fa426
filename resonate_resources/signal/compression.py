"""Compression that keeps the image where it is: one gain for all channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import Samples

_SILENCE = np.float32(1e-9)  # −180 dBFS: keeps the division below defined


@dataclass(frozen=True)
class Compression:
    """Settings: threshold in dBFS of the loudest channel's peak envelope, ratio, times in ms."""

    threshold_db: float
    ratio: float
    attack_ms: float
    release_ms: float


class LinkedCompressor:
    """pedalboard's compressor, which treats channels one by one, driven by the loudest channel.

    It is given the detector signal alone; what it makes of that is the gain for every channel.
    State crosses blocks inside pedalboard. No latency, no make-up gain.
    """

    def __init__(self, settings: Compression, sample_rate: int) -> None:
        import pedalboard

        self._sample_rate = sample_rate
        self._compressor = pedalboard.Compressor(
            settings.threshold_db, settings.ratio, settings.attack_ms, settings.release_ms
        )

    def gain(self, block: Samples) -> Samples:
        """Gain for each frame of the next (channels, frames), as (1, frames), 0…1."""
        detector = np.abs(block).max(axis=0, keepdims=True) + _SILENCE
        compressed: Samples = self._compressor.process(detector, self._sample_rate, reset=False)
        gain: Samples = compressed / detector
        return gain
