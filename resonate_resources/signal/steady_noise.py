"""Noise that never rests: hiss, hum's breath, the floor of a tape or of a phone's microphone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.bandwidth import LineLevels

_LOWEST_HZ, _HIGHEST = 200.0, 0.95  # of the Nyquist frequency: converters' filters are no content
_AROUND_HZ = 400.0
# The power of a spectral line of steady noise is exponentially distributed: its 95th percentile lies 4.8 dB over
# the mean and its 10th 9.8 dB under it. Music moves by more.
_STEADY_DB = 17.0
_LOW_UNDER_MEAN_DB = 9.8
_EMPTY_DB = -139.0
MOST_DB = 120.0


def over_steady_noise_db(levels: LineLevels, sample_rate: int) -> float | None:
    """A-weighted power of all that is heard over that of what is as steady as noise, in dB, MOST_DB at most; None
    of silence.

    levels: of one channel; the mean power of several ones is steadier. Noise that comes and goes is not told from
    music, nor what lies under music that fills all of its spectrum; sustained distortion is told as noise.
    """
    from scipy.ndimage import uniform_filter1d

    hertz = np.linspace(0, sample_rate / 2, len(levels.high_db))
    weights = _a_weighting(hertz)
    whole = float(weights @ 10 ** (levels.mean_db / 10))
    if levels.high_db.max() <= _EMPTY_DB or whole <= 0:
        return None
    moves_db = uniform_filter1d(levels.high_db - levels.low_db, max(1, round(_AROUND_HZ / hertz[1])))
    steady = (moves_db < _STEADY_DB) & (hertz > _LOWEST_HZ) & (hertz < _HIGHEST * sample_rate / 2)
    steady &= levels.low_db > _EMPTY_DB
    if not steady.any():
        return MOST_DB
    at_most_db = levels.low_db + _LOW_UNDER_MEAN_DB
    # Noise has no gaps: under the music it goes on as it does beside it, where the music's rests allow it.
    noise_db = np.minimum(at_most_db, np.interp(hertz, hertz[steady], at_most_db[steady]))
    noise = float(weights @ 10 ** (noise_db / 10))
    return float(np.clip(10 * np.log10(whole / max(noise, 1e-20)), 0.0, MOST_DB))


def _a_weighting(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of power, 0 dB at 1 kHz (IEC 61672-1, annex E)."""
    square = np.square(hertz)
    gain = (
        12_194.0**2
        * square**2
        / ((square + 20.6**2) * np.sqrt((square + 107.7**2) * (square + 737.9**2)) * (square + 12_194.0**2))
    )
    return np.asarray(np.square(gain) * 10**0.2, np.float64)
