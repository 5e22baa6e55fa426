"""Shimmer between 6 and 10 kHz, made quieter where there is more of it than real voices have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from resonate_resources.naturalisation.changes import Change
from resonate_resources.naturalisation.keeping import heard, lost
from resonate_resources.naturalisation.stretches import Floats, Stretch, windows
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.shimmer import band_lines, shimmer_index, shimmer_peaks, spectrum_size

REDUCTION = 0.3
"""Of the energy of what shimmers, at amount 1."""

MOST_OF_VOICES, SURELY_SHIMMER = 0.3, 0.4
"""Indices: real voices have 0.14 to 0.28 (noise 0.2); full reduction from the second on (docs/measurements.md)."""

_STRENGTHS = (1.0, 1.5, 2.0, 2.5)
"""A peak shares frames with what stays: what is taken at first may fall short of what was asked."""

_LEAST = 0.02  # of the energy: less is not worth a change
_OCTAVE = OCTAVES_HZ.index(8000.0)

Spectra = npt.NDArray[np.complex64]


@dataclass
class Quieting:
    """Changes windows of a recording. Tells how many sound, which were changed (start in seconds, index before and
    after), and why others were not."""

    sounding: int = 0
    made: list[tuple[float, float, float]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def changes(
        self, recording: Recording, pitch: Floats, amount: float, one: int | None
    ) -> Iterator[Change]:
        """pitch: of the whole recording, in cents, by frames."""
        if not band_lines(recording.sample_rate).stop:
            return
        for window in windows(pitch):
            start, stop = window.samples(recording.sample_rate, recording.frames)
            if stop - start >= 2 * spectrum_size(recording.sample_rate):
                yield from self._tried(recording, Stretch(start, stop), amount, one)

    def _tried(
        self, recording: Recording, span: Stretch, amount: float, one: int | None
    ) -> Iterator[Change]:
        rate = recording.sample_rate
        before = recording.read(*span)
        if not before.any():
            return
        self.sounding += 1
        spectra = _spectra(before, rate)
        power = _power(spectra)
        index = shimmer_index(power, rate)
        surely = (index - MOST_OF_VOICES) / (SURELY_SHIMMER - MOST_OF_VOICES)
        asked = REDUCTION * amount * min(max(surely, 0.0), 1.0)
        if asked < _LEAST:
            return
        peaks = shimmer_peaks(power, rate)
        why = "it would shimmer as much"
        for strength in _STRENGTHS:
            taken = 1 - (1 - min(strength * asked, 0.9)) ** 0.5
            after = before - _sounding(np.where(peaks, taken * spectra, 0), before.shape[1], rate)
            quieter = shimmer_index(_power(_spectra(after, rate)), rate)
            if quieter <= (1 - asked) * index:
                lowered = [0.0] * len(OCTAVES_HZ)
                lowered[_OCTAVE] = float(-10 * np.log10(1 - asked * index))
                worse = lost(heard(before, rate, one), heard(after, rate, one), tuple(lowered))
                if worse is None:
                    self.made.append((span.start / rate, index, quieter))
                    yield Change(span.start, after)
                    return
                why = worse
                break
        self.refused.append(why)


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
