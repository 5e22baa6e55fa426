"""What is done to each stem before it is levelled: filters, compression, image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.compression import Compression, LinkedCompressor
from resonate_resources.signal.equaliser import Band, Equaliser

WORKING_LOUDNESS_LUFS = -20.0
"""Stems are brought here before the strip, so that thresholds mean the same for every track (K-20)."""

_MONO_BELOW = Band("high pass", 120.0)  # of the sides
_LFE = 3  # in 5.1, WAVE order


@dataclass(frozen=True)
class Strip:
    """Settings of a channel strip; width is the gain of the sides."""

    bands: tuple[Band, ...]
    compression: Compression | None = None
    width: float = 1.0


# Usual starting points of mixing practice, no standard. Gains stay small: a stem has already been mixed once.
_BALANCED = {
    "vocals": Strip(
        bands=(Band("high pass", 80.0), Band("bell", 300.0, -1.5), Band("high shelf", 5_000.0, 1.5)),
        compression=Compression(-18.0, 2.5, 10.0, 120.0),
    ),
    "drums": Strip(
        bands=(Band("high pass", 30.0), Band("bell", 400.0, -1.5), Band("high shelf", 8_000.0, 1.0)),
        compression=Compression(-12.0, 2.0, 20.0, 100.0),
    ),
    "bass": Strip(
        bands=(Band("high pass", 30.0), Band("low shelf", 90.0, 1.0)),
        compression=Compression(-18.0, 3.0, 20.0, 150.0),
        width=0.5,
    ),
    "other": Strip(
        bands=(Band("high pass", 60.0), Band("bell", 2_500.0, -1.0)),  # makes room for the voice
        compression=Compression(-15.0, 1.5, 20.0, 150.0),
        width=1.15,
    ),
}

_GLUE = {
    "conservative": None,
    "balanced": Compression(-12.0, 1.5, 30.0, 200.0),
    "aggressive": Compression(-15.0, 2.0, 20.0, 150.0),
}


def strip_for(stem: str, preset: Preset) -> Strip:
    """Settings for a stem. conservative: rumble is removed, nothing else; aggressive: half as much again."""
    strip = _BALANCED.get(stem, _BALANCED["other"])
    if preset == "conservative":
        return Strip(strip.bands[:1])
    if preset == "balanced" or strip.compression is None:
        return strip
    return replace(
        strip,
        bands=tuple(replace(band, gain_db=1.5 * band.gain_db) for band in strip.bands),
        compression=replace(
            strip.compression,
            threshold_db=strip.compression.threshold_db - 3,
            ratio=1.5 * strip.compression.ratio,
        ),
    )


def glue_for(preset: Preset) -> Compression | None:
    """Settings of the compressor on the bus."""
    return _GLUE[preset]


class ChannelStrip:
    """Runs blocks of one stem through its settings. State crosses blocks; no latency."""

    def __init__(self, strip: Strip, sample_rate: int) -> None:
        self._equaliser = Equaliser(strip.bands, sample_rate)
        # Filtering the sides alone would turn their phase against the middle's, and move the image up to
        # 1 kHz. The Linkwitz-Riley pair's all-pass, 2·HP − 1, turns the middle as HP² turns the sides.
        self._middle_high_pass = Equaliser([_MONO_BELOW], sample_rate)
        self._side_high_pass = Equaliser([_MONO_BELOW] * 2, sample_rate)
        self._width = np.float32(strip.width)
        self._compressor = strip.compression and LinkedCompressor(strip.compression, sample_rate)

    def process(self, block: Samples) -> Samples:
        """The next (channels, frames); 1 to 6 channels; all blocks but the last have 64 frames or more.

        Stereo is mono below 120 Hz. The LFE of 5.1 passes the filters by.
        """
        filtered = self._equaliser.process(block)
        if len(block) == 2:
            middle = np.float32(0.5) * (filtered[:1] + filtered[1:])
            side = self._width * self._side_high_pass.process(filtered[:1] - middle)
            middle = np.float32(2) * self._middle_high_pass.process(middle) - middle
            filtered = np.concatenate([middle + side, middle - side])
        elif len(block) == 6:
            filtered[_LFE] = block[_LFE]
        return filtered * self._compressor.gain(filtered) if self._compressor else filtered
