"""Octave bands after IEC 61260-1, from 31.5 Hz to 16 kHz: what balance of tone is told in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording

Floats = npt.NDArray[np.float64]

OCTAVES_HZ = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
"""Nominal centres."""

_CENTRES_HZ = 1000.0 * 2.0 ** np.arange(-5, 5)
_RESOLUTION_HZ = 11.0  # 4096 points at 44.1 and 48 kHz


def membership(hertz: npt.NDArray[np.floating[Any]]) -> Floats:
    """(lines, octaves) of 0 and 1: which octave each line counts to.

    What lies under 22 Hz counts to the lowest, what lies over 22.6 kHz to the highest; an offset, the first line,
    to none: it is no sound.
    """
    octave = np.round(np.log2(np.maximum(hertz, 1.0) / 1000.0)).clip(-5, 4) + 5
    members = np.asarray(octave[:, None] == np.arange(10), np.float64)
    members[0] = 0.0
    return members


class OctaveSpectra:
    """Spectra of blocks, to be summed by octave."""

    def __init__(self, sample_rate: int) -> None:
        self.size = 1 << int(np.ceil(np.log2(sample_rate / _RESOLUTION_HZ)))
        self.hertz = np.fft.rfftfreq(self.size, 1 / sample_rate)
        self._members = membership(self.hertz)
        self._window = np.hanning(self.size + 1)[:-1]
        self._norm = 1.0 / (self.size * np.square(self._window).sum())

    def frames(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.complex128]:
        """(channels, frames, lines) of consecutive windows of (channels, samples), the last one padded; their power
        sums up to that of the block."""
        channels, samples = block.shape
        count = max(1, -(-samples // self.size))
        padded = np.zeros((channels, count * self.size))
        padded[:, :samples] = block
        parts = padded.reshape(channels, count, self.size) * self._window
        return np.asarray(np.fft.rfft(parts, axis=-1), np.complex128)

    def by_octave(self, power: Floats) -> Floats:
        """(…, lines) of squared magnitudes → (…, octaves), as sums of squares of samples."""
        return np.asarray(2 * self.size * self._norm * (power @ self._members), np.float64)


def octave_levels(recording: Recording) -> Floats:
    """(octaves,): mean square of all channels in each octave, full scale 1; 0 where there is nothing."""
    spectra = OctaveSpectra(recording.sample_rate)
    total = np.zeros(len(OCTAVES_HZ))
    for block in recording.blocks(64 * spectra.size):
        total += spectra.by_octave(np.square(np.abs(spectra.frames(block))).sum(axis=(0, 1)))
    return total / max(1, recording.frames * recording.channels)
