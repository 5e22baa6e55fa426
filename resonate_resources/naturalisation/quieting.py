"""Shimmer between 6 and 10 kHz, made quieter where there is more of it than real voices have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from resonate_resources.naturalisation.changes import Change, told
from resonate_resources.naturalisation.keeping import heard, lost
from resonate_resources.naturalisation.stretches import Floats, Stretch, windows
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.shimmer import (
    Shimmer,
    band_lines,
    measure_shimmer,
    shimmer_peaks,
    spectrum_size,
)

REDUCTION = 0.3
"""Of the energy of what shimmers, at amount 1."""

MOST_OF_VOICES, SURELY_SHIMMER = 0.3, 0.4
"""Indices: real voices have 0.14 to 0.28 (noise 0.2); full reduction from the second on (docs/measurements.md)."""

_STRENGTHS = (1.0, 1.5, 2.0, 2.5)
"""A peak shares frames with what stays: what is taken at first may fall short of what was asked."""

_MOST = 0.9
_LEAST = 0.02  # of the energy: less is not worth a change
_OCTAVE = OCTAVES_HZ.index(8000.0)

Spectra = npt.NDArray[np.complex64]


@dataclass
class Quieting:
    """Changes windows of a recording. made: start in seconds, index before and after."""

    amount: float
    sounding: int = 0
    made: list[tuple[float, float, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def changes(self, recording: Recording, pitch: Floats, one: int | None) -> Iterator[Change]:
        if not band_lines(recording.sample_rate).stop:
            return
        for window in windows(pitch):
            start, stop = window.samples(recording.sample_rate, recording.frames)
            if stop - start >= 2 * spectrum_size(recording.sample_rate):
                yield from self._tried(recording, Stretch(start, stop), one)

    def _tried(self, recording: Recording, span: Stretch, one: int | None) -> Iterator[Change]:
        rate = recording.sample_rate
        before = recording.read(*span)
        if not before.any():
            return
        self.sounding += 1
        spectra = _spectra(before, rate)
        power = _power(spectra)
        was = measure_shimmer(power, rate)
        surely = (was.index - MOST_OF_VOICES) / (SURELY_SHIMMER - MOST_OF_VOICES)
        asked = REDUCTION * self.amount * min(max(surely, 0.0), 1.0)
        peaks = np.where(shimmer_peaks(power, rate), spectra, 0)
        sounded = heard(before, rate, one)
        why: str | None = None
        while asked >= _LEAST:
            after = self._quieter(before, peaks, was, asked, rate)
            if after is None:
                why = "as much shimmer as before"
                break
            lowered = [0.0] * len(OCTAVES_HZ)
            lowered[_OCTAVE] = float(-10 * np.log10(1 - asked * was.index))
            why = lost(sounded, heard(after, rate, one), tuple(lowered))
            if why is None:
                now = measure_shimmer(_power(_spectra(after, rate)), rate)
                self.made.append((span.start / rate, was.index, now.index))
                yield Change(span.start, after)
                return
            asked /= 2  # where there is very much of it, taking it moves the loudness of the whole
        if why is not None:
            self.refused.append(why)

    def measures(self) -> dict[str, float | int]:
        counts: dict[str, float | int] = {
            "sounding_windows": self.sounding,
            "shimmer_windows": len(self.made),
        }
        if not self.made:
            return counts
        before, after = np.mean([indices for _, *indices in self.made], axis=0).tolist()
        return counts | {"shimmer_index_before": before, "shimmer_index": after}

    def note(self) -> str:
        starts = [start for start, *_ in self.made]
        return told("less shimmer", "windows", self.sounding, starts, self.refused)

    @staticmethod
    def _quieter(
        before: Samples, peaks: Spectra, was: Shimmer, asked: float, sample_rate: int
    ) -> Samples | None:
        """With that part of its shimmer taken off; None where none of the strengths does it."""
        for strength in _STRENGTHS:
            taken = np.float32(1 - (1 - min(strength * asked, _MOST)) ** 0.5)
            after = before - _sounding(taken * peaks, before.shape[1], sample_rate)
            now = measure_shimmer(_power(_spectra(after, sample_rate)), sample_rate)
            if now.peaks <= (1 - asked) * was.peaks and now.index < was.index:
                return after
        return None


def _spectra(samples: Samples, sample_rate: int) -> Spectra:
    """(channels, frames, lines) of spectra that lie within the samples: at their ends nothing is changed."""
    size = spectrum_size(sample_rate)
    parts = np.lib.stride_tricks.sliding_window_view(samples, size, axis=1)[:, :: size // 4]
    return np.asarray(np.fft.rfft(parts * _window(size)), np.complex64)


def _power(spectra: Spectra) -> npt.NDArray[np.float32]:
    return np.asarray(np.square(np.abs(spectra)).sum(axis=0), np.float32)


def _sounding(spectra: Spectra, frames: int, sample_rate: int) -> Samples:
    """What such spectra sound like, (channels, frames); exactly nothing where they are 0."""
    size = spectrum_size(sample_rate)
    sound: Samples = np.zeros((spectra.shape[0], frames), np.float32)
    shared = np.square(_window(size)).sum() / (size // 4)  # windows twice over, summed where they overlap
    for number in np.flatnonzero(spectra.any(axis=(0, 2))).tolist():
        at = number * size // 4
        sound[:, at : at + size] += np.fft.irfft(spectra[:, number], size) * _window(size) / shared
    return sound


@cache
def _window(size: int) -> npt.NDArray[np.float32]:
    return np.asarray(np.hanning(size + 1)[:-1], np.float32)
