"""Short-time Fourier transform of one block: exactly invertible, its grid the same at every sample rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from resonate_resources.recordings.recording import Samples

Spectra = npt.NDArray[np.complex64]
"""Shaped (channels, time, bins)."""

WINDOW_SECONDS = 0.0929
"""4096 samples at 44.1 kHz: long enough to part bass notes, short enough for a sung vibrato."""


@dataclass(frozen=True)
class Stft:
    """Periodic Hann windows of `size` samples at a hop of a quarter of that, for analysis and synthesis."""

    size: int

    @classmethod
    def for_rate(cls, sample_rate: int, seconds: float = WINDOW_SECONDS) -> Stft:
        """The window of about `seconds` at sample_rate (Hz) whose length the FFT is fast for."""
        # Sixteen: a quarter of the window has quarters, too.
        return cls(16 * int(fft.next_fast_len(max(1, round(sample_rate * seconds / 16)), real=True)))

    @property
    def hop(self) -> int:
        return self.size // 4

    @property
    def window(self) -> npt.NDArray[np.float32]:
        phase = 2 * np.pi * np.arange(self.size) / self.size
        return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    def forward(self, samples: Samples) -> Spectra:
        """Spectra of (channels, frames ≥ 1): (channels, ceil(frames / hop) + 3, size / 2 + 1).

        Zeros before and after make every sample lie under four windows.
        """
        channels, frames = samples.shape
        times = -(-frames // self.hop) + 3
        padded = np.zeros((channels, (times + 3) * self.hop), np.float32)
        padded[:, 3 * self.hop : 3 * self.hop + frames] = samples
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.size, axis=1)[:, :: self.hop]
        spectra: Spectra = fft.rfft(windows * self.window, axis=-1, overwrite_x=True)
        return spectra

    def inverse(self, spectra: Spectra, frames: int) -> Samples:
        """The (channels, frames) of these spectra, or the nearest in least squares (Griffin and Lim 1984)."""
        blocks = fft.irfft(spectra, n=self.size, axis=-1, overwrite_x=True)
        blocks *= self.window * np.float32(2 / 3)  # four squared Hann windows a quarter apart sum to 3/2
        channels, times, _ = blocks.shape
        quarters = blocks.reshape(channels, times, 4, self.hop)
        summed = np.zeros((channels, times + 3, self.hop), np.float32)
        for quarter in range(4):
            summed[:, quarter : quarter + times] += quarters[:, :, quarter]
        flat = summed.reshape(channels, -1)
        return np.ascontiguousarray(flat[:, 3 * self.hop : 3 * self.hop + frames])
