"""Recordings whose band is narrower than the music was: filters, coders of low rates, a phone's microphone.

Each takes (channels, frames) of clean sound and gives the same length, in time with it to the sample but for the phase
that filters without linear phase turn.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.lossy import LossyFormat, encode_lossy
from resonate_resources.recordings.recording import Samples, write_samples

_WALL_HZ = 400.0  # wide: a resampler's, a coder's
_PHONE_HZ = (100.0, 8000.0)
_BUMPS = 7  # of a small microphone behind a hole in a case


def walled(clean: Samples, sample_rate: int, rng: np.random.Generator, hertz: float) -> Samples:
    """Nothing above hertz (4 to 16 kHz): 80 dB down within 400 Hz, of linear phase."""
    from scipy.signal import firwin, kaiserord, oaconvolve

    taps, beta = kaiserord(80.0, 2 * _WALL_HZ / sample_rate)
    wall = firwin(taps | 1, hertz - _WALL_HZ / 2, window=("kaiser", beta), fs=sample_rate)
    del rng
    return np.asarray(oaconvolve(clean, wall[None], mode="same", axes=1), np.float32)


def steeply_low_passed(clean: Samples, sample_rate: int, rng: np.random.Generator, hertz: float) -> Samples:
    """Butterworth of order 8 to 12, as the filters of converters and tape machines' cascades: 48 to 72 dB/octave."""
    return _low_passed(clean, sample_rate, int(rng.integers(8, 13)), hertz)


def gently_low_passed(clean: Samples, sample_rate: int, rng: np.random.Generator, hertz: float) -> Samples:
    """Butterworth of order 4 to 6: 24 to 36 dB/octave. What is gentler is tone."""
    return _low_passed(clean, sample_rate, int(rng.integers(4, 7)), hertz)


def mp3(clean: Samples, sample_rate: int, rng: np.random.Generator, kbps: float) -> Samples:
    """Through LAME at 64 to 128 kbit/s for two channels, half of it for one."""
    del rng
    return _coded(clean, sample_rate, "mp3", kbps)


def aac(clean: Samples, sample_rate: int, rng: np.random.Generator, kbps: float) -> Samples:
    """Through FFmpeg's AAC encoder, low complexity, at 64 to 128 kbit/s for two channels, half of it for one."""
    del rng
    return _coded(clean, sample_rate, "m4a", kbps)


def phone_microphone(clean: Samples, sample_rate: int, rng: np.random.Generator, bumps_db: float) -> Samples:
    """100 Hz to 8 kHz, Butterworth of order 4 at both ends, and between them resonances and dips of bumps_db (3 to 8)
    at chance places, each half to one octave wide; white noise 60 dB under the loudest."""
    from scipy.signal import butter, sosfilt

    high = min(_PHONE_HZ[1], 0.45 * sample_rate)
    sections = butter(4, (_PHONE_HZ[0], high), "bandpass", fs=sample_rate, output="sos")
    for hertz in np.exp(rng.uniform(np.log(150.0), np.log(0.9 * high), _BUMPS)).tolist():
        gain_db = rng.uniform(-bumps_db, bumps_db)
        sections = np.vstack([sections, _peak(hertz, gain_db, rng.uniform(0.5, 1.0), sample_rate)])
    heard = sosfilt(sections, clean)
    noise = rng.standard_normal(clean.shape) * np.abs(heard).max(initial=0.0) * 1e-3
    return np.asarray(heard + noise, np.float32)


def _low_passed(clean: Samples, sample_rate: int, order: int, hertz: float) -> Samples:
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(order, hertz, fs=sample_rate, output="sos"), clean), np.float32)


def _coded(clean: Samples, sample_rate: int, form: LossyFormat, kbps: float) -> Samples:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        coded = folder / f"coded.{form}"
        rate = round(kbps if len(clean) > 1 else kbps / 2)
        encode_lossy(write_samples(folder / "clean.wav", clean, sample_rate), coded, form, rate)
        into = folder / "decoded"
        into.mkdir()
        return np.pad(
            heard := decode(coded, into).recording.read(),
            ((0, 0), (0, max(0, clean.shape[1] - heard.shape[1]))),
        )[:, : clean.shape[1]]


def _peak(hertz: float, gain_db: float, octaves: float, sample_rate: int) -> npt.NDArray[np.float64]:
    """A second-order section (1, 6): Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients"."""
    omega = 2 * np.pi * hertz / sample_rate
    amplitude = 10 ** (gain_db / 40)
    alpha = np.sin(omega) * np.sinh(np.log(2) / 2 * octaves * omega / np.sin(omega))
    numerator = np.array([1 + alpha * amplitude, -2 * np.cos(omega), 1 - alpha * amplitude])
    denominator = np.array([1 + alpha / amplitude, -2 * np.cos(omega), 1 - alpha / amplitude])
    return np.concatenate([numerator, denominator])[None] / denominator[0]
