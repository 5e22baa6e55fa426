"""What a narrow band lost below it, made again from what it kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples


class _Filter:
    """Second-order sections with the state that crosses blocks; works on (channels, frames)."""

    def __init__(self, sections: npt.NDArray[np.float64], channels: int, dtype: npt.DTypeLike) -> None:
        self._sections = sections.astype(dtype)
        self._state = np.zeros((len(sections), channels, 2), dtype)

    def __call__(self, block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        from scipy.signal import sosfilt

        filtered, self._state = sosfilt(self._sections, block, zi=self._state)
        return np.asarray(filtered)


class SubBass:
    """The octave under 80–200 Hz: 40–100 Hz, in mono, its phase half the phase of the band."""

    LEVEL_DB = 1.5
    """Of 30–80 Hz against 80–200 Hz, for noise."""

    _BAND_HZ = (80.0, 200.0)

    def __init__(self, sample_rate: int) -> None:
        from scipy.signal import butter

        self._sample_rate = sample_rate
        self._centre_hz = sum(self._BAND_HZ) / 2
        half_width_hz = (self._BAND_HZ[1] - self._BAND_HZ[0]) / 2
        self._baseband = _Filter(butter(4, half_width_hz, fs=sample_rate, output="sos"), 1, np.complex128)
        self._below = _Filter(butter(4, (20.0, 80.0), "band", fs=sample_rate, output="sos"), 1, np.float64)
        self._frame = 0
        self._phase = 0.0  # of the band around its centre, unwrapped, at the end of the last block

    def process(self, block: Samples) -> Samples:
        """The octave under the next (channels, frames), as loud as its source; (1, frames)."""
        time = (self._frame + np.arange(block.shape[1])) / self._sample_rate
        carrier = 2 * np.pi * ((self._centre_hz * time) % 2.0)  # two turns, so that its half is a whole one
        band = self._baseband(block.mean(axis=0, keepdims=True) * np.exp(-1j * carrier))[0]
        phase = np.unwrap(np.concatenate(([self._phase], np.angle(band))))[1:]
        octave = 2 * np.abs(band) * np.cos((phase + carrier) / 2)
        self._frame += block.shape[1]
        self._phase = float(phase[-1] % (4 * np.pi))
        return self._below(octave[None]).astype(np.float32)
