"""Shimmer between 6 and 10 kHz, made quieter where there is more of it than real voices have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from resonate_resources.naturalisation.changes import Change
from resonate_resources.naturalisation.keeping import heard, lost
from resonate_resources.naturalisation.stretches import Floats, Stretch, windows
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.shimmer import HOP, SIZE, band_lines, shimmer_index, shimmer_peaks

REDUCTION = 0.3
"""Of the energy of what shimmers, at amount 1."""

MOST_OF_VOICES, SURELY_SHIMMER = 0.3, 0.4
"""Indices: real voices have 0.14 to 0.28 (noise 0.2); full reduction from the second on (docs/measurements.md)."""

_STRENGTHS = (1.0, 1.5, 2.0, 2.5)
"""A peak shares frames with what stays: what is taken at first may fall short of what was asked."""

_LEAST = 0.02  # of the energy: less is not worth a change
_OCTAVE = OCTAVES_HZ.index(8000.0)

Spectra = npt.NDArray[np.complex128]


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
            if stop - start >= 2 * SIZE:
                yield from self._tried(recording, Stretch(start, stop), amount, one)

    def _tried(
        self, recording: Recording, span: Stretch, amount: float, one: int | None
    ) -> Iterator[Change]:
        rate = recording.sample_rate
        before = recording.read(*span)
        if not before.any():
            return
        self.sounding += 1
        spectra = _spectra(before)
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
            after = before - _sounding(np.where(peaks, taken * spectra, 0), before.shape[1])
            quieter = shimmer_index(_power(_spectra(after)), rate)
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


def _spectra(samples: Samples) -> Spectra:
    """(channels, frames, lines) of spectra that lie within the samples: at their ends nothing is changed."""
    parts = np.lib.stride_tricks.sliding_window_view(samples, SIZE, axis=1)[:, ::HOP]
    return np.asarray(np.fft.rfft(parts * _window()), np.complex128)


def _power(spectra: Spectra) -> Floats:
    return np.asarray(np.square(np.abs(spectra)).sum(axis=0), np.float64)


def _sounding(spectra: Spectra, frames: int) -> Samples:
    """What such spectra sound like, (channels, frames); exactly nothing where they are 0."""
    sound = np.zeros((spectra.shape[0], frames))
    shared = float(np.square(_window()).sum()) / HOP  # windows twice over, summed where they overlap
    for number in np.flatnonzero(np.abs(spectra).any(axis=(0, 2))).tolist():
        at = number * HOP
        sound[:, at : at + SIZE] += np.fft.irfft(spectra[:, number], SIZE) * _window() / shared
    return sound.astype(np.float32)


def _window() -> Floats:
    return np.asarray(np.hanning(SIZE + 1)[:-1], np.float64)
