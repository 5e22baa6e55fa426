"""A recording played at a speed that varies from moment to moment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

Floats = npt.NDArray[np.float64]

_HALF = 32  # taps a side: flat to a tenth of a decibel up to 0.9 of half the rate, images 100 dB down
_KAISER = 10.0
_PHASES = 512  # between two samples; between two of them, kernels are interpolated: 106 dB down
_BLOCK = 1 << 15


def played_at(recording: Recording, times_s: Floats, offsets_s: Floats) -> Iterator[Samples]:
    """The recording, of the same length: at times_s, which ascend, it is heard offsets_s later (seconds, both).

    Between times, offsets are those of a cubic spline; before the first and after the last, theirs. By a windowed
    sinc; beyond the ends of the recording there is silence. Streams.
    """
    from scipy.interpolate import CubicSpline

    rate, frames = recording.sample_rate, recording.frames
    offset = CubicSpline(times_s, offsets_s)
    kernels = _kernels()
    taps = np.arange(1 - _HALF, _HALF + 1)
    for start in range(0, frames, _BLOCK):
        at = np.arange(start, min(start + _BLOCK, frames))
        position = at + rate * offset(np.clip(at / rate, times_s[0], times_s[-1]))
        whole = np.floor(position).astype(np.intp)
        first, last = int(whole.min()) - _HALF, int(whole.max()) + _HALF + 2
        heard = recording.read(first, last)
        heard = np.pad(heard, ((0, 0), (max(0, -first), max(0, last - max(first, 0) - heard.shape[1]))))
        phase = (position - whole) * _PHASES
        below = phase.astype(np.intp)
        part = (phase - below).astype(np.float32)[:, None]
        kernel = kernels[below] * (1 - part) + kernels[below + 1] * part
        index = (whole - first)[:, None] + taps
        yield np.stack([np.einsum("ft,ft->f", kernel, channel[index]) for channel in heard])


def _kernels() -> npt.NDArray[np.float32]:
    """(phases, taps): by how far after a sample a value is wanted."""
    off = np.arange(1 - _HALF, _HALF + 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
    window = np.i0(_KAISER * np.sqrt(np.maximum(0, 1 - (off / _HALF) ** 2))) / np.i0(_KAISER)
    return np.asarray(np.sinc(off) * window, np.float32)
