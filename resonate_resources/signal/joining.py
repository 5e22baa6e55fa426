"""Two renderings of the same moments, by a phase vocoder that began at different times, made into one.

They sound alike, but each partial has a phase of its own in each, so a crossfade goes through places where partials
cancel. Here the phase of every line of the spectrum is turned from one to the other over a second: a partial is out
of tune by half a hertz at most meanwhile, and keeps its level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.recordings.recording import Samples

_SIZE, _HOP = 2048, 256
_ONE_ONLY = 0.1
"""At either end, the part that is only the one or the other."""
_MOST_TURN = 1.5 * np.pi
"""Where a line's phases drift apart further than that they are not those of a partial: the shorter way is taken."""

_Spectra = npt.NDArray[np.complex128]


def glide(first: Samples, then: Samples) -> Samples:
    """(channels, frames) that begins as `first` and ends as `then`, both of that shape."""
    frames = first.shape[1]
    one, other = _spectra(first), _spectra(then)
    centre = (np.arange(one.shape[1]) * _HOP - _SIZE / 2) / frames
    part = np.clip((centre - _ONE_ONLY) / (1 - 2 * _ONE_ONLY), 0, 1)
    along = (0.5 - 0.5 * np.cos(np.pi * part))[np.newaxis, :, np.newaxis]
    apart = np.angle(other * np.conj(one))
    turn = apart.copy()
    for frame in range(1, turn.shape[1]):
        before = turn[:, frame - 1]
        near = before + np.angle(np.exp(1j * (apart[:, frame] - before)))
        turn[:, frame] = np.where(np.abs(near) > _MOST_TURN, apart[:, frame], near)
    level = (1 - along) * np.abs(one) + along * np.abs(other)
    return _samples(level * np.exp(1j * (np.angle(one) + along * turn)), frames)


def _window() -> npt.NDArray[np.float64]:
    return np.sin(np.pi * (np.arange(_SIZE) + 0.5) / _SIZE)


def _spectra(samples: Samples) -> _Spectra:
    """(channels, spectra, lines), the first centred half a window before the first frame."""
    padded = np.pad(samples, ((0, 0), (_SIZE, _SIZE + _HOP)))
    return np.fft.rfft(sliding_window_view(padded, _SIZE, axis=1)[:, ::_HOP] * _window(), axis=2)


def _samples(spectra: _Spectra, frames: int) -> Samples:
    parts = np.fft.irfft(spectra, _SIZE, axis=2) * (_window() * (2 * _HOP / _SIZE))
    out = np.zeros((len(spectra), _HOP * (spectra.shape[1] - 1) + _SIZE))
    for number in range(spectra.shape[1]):
        out[:, number * _HOP : number * _HOP + _SIZE] += parts[:, number]
    return out[:, _SIZE : _SIZE + frames].astype(np.float32)
