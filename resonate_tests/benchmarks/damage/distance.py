"""How far a recording is from the clean truth, both (channels, frames) and in time with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

_SIZE, _HOP = 2048, 512  # 46 and 12 ms at 44.1 kHz
_FLOOR_DBFS = -90.0
"""Of a spectral line against a full-scale sine: at 85 dB SPL a line below it can't be heard."""
_BAND_HZ = (20.0, 20_000.0)
THIRDS_HZ: tuple[float, ...] = tuple(1000 * 2 ** (step / 3) for step in range(-13, 13))
"""Centres, 50 Hz to 16 kHz (IEC 61260, base two)."""


def log_spectral_distance(sound: Samples, clean: Samples, sample_rate: int) -> float:
    """Mean over moments of the root mean square difference of the lines' levels from 20 Hz to 20 kHz, in dB.

    Both at the level that fits best (see `matched`). Gray and Markel, "Distance measures for speech processing",
    IEEE Trans. ASSP 24 (1976).
    """
    sound = matched(sound, clean)
    lines = slice(*(round(hz * _SIZE / sample_rate) for hz in _BAND_HZ))
    distances = [
        np.sqrt(np.mean(np.square(_levels_db(one)[:, lines] - _levels_db(true)[:, lines]), axis=1))
        for one, true in zip(sound, clean, strict=True)
    ]
    return float(np.mean(distances))


def third_octaves_db(sound: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    """Level of each third of an octave of THIRDS_HZ over the whole length, all channels together, in dBFS; −140 at
    least."""
    power = np.mean([np.square(_spectra(one)).mean(axis=0) for one in sound], axis=0)
    hertz = np.arange(power.size) * sample_rate / _SIZE
    whole = np.array(
        [power[(hertz >= hz * 2 ** (-1 / 6)) & (hertz < hz * 2 ** (1 / 6))].sum() for hz in THIRDS_HZ]
    )
    return np.asarray(10 * np.log10(whole + 1e-14), np.float64)


def band_balance_db(sound: Samples, clean: Samples, sample_rate: int) -> float:
    """Root mean square difference of the thirds of an octave in dB, their mean taken off: tone, whatever the level.

    Thirds of the clean one that lie 60 dB under its loudest do not count.
    """
    true = third_octaves_db(clean, sample_rate)
    counts = true > true.max() - 60.0
    off = np.maximum(third_octaves_db(sound, sample_rate), true.max() - 80.0)[counts] - true[counts]
    return float(np.std(off))


def si_sdr_db(sound: Samples, clean: Samples) -> float:
    """SI-SDR in dB, channels as one vector; Le Roux et al., "SDR, half-baked or well done?", ICASSP 2019."""
    heard, true = (each.ravel().astype(np.float64) - each.mean() for each in (sound, clean))
    part = (heard @ true) / max(true @ true, 1e-20) * true
    rest = heard - part
    return float(10 * np.log10((part @ part + 1e-20) / (rest @ rest + 1e-20)))


def matched(sound: Samples, clean: Samples) -> Samples:
    """The sound at the level at which it projects onto the clean one; as it is where it does not."""
    gain = float(np.vdot(sound, clean)) / max(float(np.vdot(sound, sound)), 1e-20)
    return sound * np.float32(gain if gain > 0.05 else 1.0)


def _levels_db(one: Samples) -> npt.NDArray[Any]:
    return np.asarray(10 * np.log10(np.square(_spectra(one)) + 10 ** (_FLOOR_DBFS / 10)))


def _spectra(one: Samples) -> npt.NDArray[Any]:
    """(moments, lines) of levels against a full-scale sine."""
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    padded = np.pad(one, (0, max(0, _SIZE - len(one))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    return np.abs(np.fft.rfft(frames * window)) * np.float32(4 / _SIZE)
