"""Octave bands after IEC 61260-1, from 31.5 Hz to 16 kHz: what balance of tone is told in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording

Floats = npt.NDArray[np.float64]

OCTAVES_HZ = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
"""Nominal centres."""

_CENTRES_HZ = 1000.0 * 2.0 ** np.arange(-5, 5)
_RESOLUTION_HZ = 11.0  # 4096 points at 44.1 and 48 kHz
_WINDOWS = 64  # of spectra at once, for the sake of memory


_TOLD_DB = 0.1  # what is less is not heard


def octaves_told(levels_db: Sequence[float]) -> str:
    """Those that are moved by what may be heard, as in `63 Hz +2.1, 8000 Hz −1.0`."""
    moved = zip(OCTAVES_HZ, levels_db, strict=True)
    return ", ".join(
        f"{centre:g} Hz {by:+.1f}".replace("-", "−") for centre, by in moved if abs(by) >= _TOLD_DB
    )


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


class OctaveMeter:
    """Sums spectra of audio given block by block; its state is that, and what does not fill a window yet."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._spectra = OctaveSpectra(sample_rate)
        self._pending = np.zeros((channels, 0), np.float32)
        self._sums = np.zeros(len(self._spectra.hertz))
        self._frames = 0

    def update(self, block: npt.NDArray[np.float32]) -> None:
        """Take the next (channels, frames)."""
        self._frames += block.shape[1]
        samples = np.concatenate([self._pending, block], axis=1)
        whole = samples.shape[1] // self._spectra.size * self._spectra.size
        self._pending = samples[:, whole:]
        for start in range(0, whole, _WINDOWS * self._spectra.size):
            self._sums += self._sums_of(samples[:, start : min(whole, start + _WINDOWS * self._spectra.size)])

    def levels(self) -> Floats:
        """(octaves,): mean square of all channels in each octave so far, full scale 1; 0 where there is nothing."""
        return self._spectra.by_octave(self._power()) / max(1, self._frames * len(self._pending))

    def centroid_hz(self) -> float | None:
        """The mean frequency of the power so far, an offset left out; None of silence."""
        power = self._power()[1:]
        whole = float(power.sum())
        return float(power @ self._spectra.hertz[1:]) / whole if whole > 0 else None

    def _power(self) -> Floats:
        return self._sums + self._sums_of(self._pending) if self._pending.size else self._sums

    def _sums_of(self, samples: npt.NDArray[np.float32]) -> Floats:
        return np.asarray(np.square(np.abs(self._spectra.frames(samples))).sum(axis=(0, 1)), np.float64)


def octave_levels(recording: Recording) -> Floats:
    """(octaves,): mean square of all channels in each octave, full scale 1; 0 where there is nothing."""
    meter = OctaveMeter(recording.sample_rate, recording.channels)
    for block in recording.blocks():
        meter.update(block)
    return meter.levels()
