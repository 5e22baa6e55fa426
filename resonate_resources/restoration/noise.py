"""The steady noise that a recording lies in, known from what every band falls back to when nothing sounds in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.bandwidth import LOW_QUANTILE, LineLevels

_WINDOW_NOISE_BANDWIDTH = 2.0  # in lines, of the window of measure_line_levels (Harris 1978)
_NEIGHBOURS = 31  # lines of 12 Hz; a tone takes nine of them
_OUTSTANDING = 8.0  # of the power; noise whose 10th percentile is taken over a second varies by less
_PROFILE_S = 2.0
_SEED = 1


@dataclass(frozen=True)
class SteadyNoise:
    """spectrum: mean power per line, (lines,) from 0 Hz to the Nyquist frequency. level_db: RMS in dBFS."""

    spectrum: npt.NDArray[np.float64]
    level_db: float

    @property
    def power(self) -> float:
        """Mean square, full scale 1."""
        return float(10 ** (self.level_db / 10))

    def samples(self, sample_rate: int) -> Samples:
        """Two seconds of noise of this spectrum and level, (1, frames); always the same."""
        frames = round(_PROFILE_S * sample_rate)
        white = np.random.default_rng(_SEED).standard_normal(frames)
        lines = np.linspace(0, 1, frames // 2 + 1)
        shape = np.interp(lines, np.linspace(0, 1, len(self.spectrum)), np.sqrt(self.spectrum))
        noise = np.fft.irfft(np.fft.rfft(white) * shape, frames)
        noise *= np.sqrt(self.power / np.mean(noise**2))
        return np.asarray(noise[None], np.float32)


def estimate_noise(levels: LineLevels, channels: int) -> SteadyNoise:
    """By minimum statistics over a whole recording (Martin, IEEE Trans. Speech Audio Process. 9, 2001).

    The 10th percentile of each line's power, divided by that percentile of noise of mean power 1 (a gamma
    distribution with as many degrees of freedom as there are channels, taken as independent). Lines that stand out
    of their neighbours are held tones, and counted as if they did not.
    """
    from scipy.ndimage import median_filter
    from scipy.special import gammaincinv

    bias = gammaincinv(channels, LOW_QUANTILE) / channels
    spectrum = 10 ** (levels.low_db / 10) / bias
    around = median_filter(spectrum, _NEIGHBOURS, mode="nearest")
    spectrum = np.where(spectrum > _OUTSTANDING * around, around, spectrum)
    # Lines are levels against a full-scale sine, whose mean square is 1/2.
    power = spectrum.sum() / (2 * _WINDOW_NOISE_BANDWIDTH)
    return SteadyNoise(spectrum, float(10 * np.log10(power)))
