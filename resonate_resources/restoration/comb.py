"""Steady spectral lines at multiples of a spacing, subtracted: what biases of a decoder's transposed convolutions leave.

The lines never move, so that their phases are known from one end of a recording to the other: their amplitudes are
medians over seconds of it, and what is subtracted is they alone. Notches would take the music at those frequencies,
too. Cause and looks of such lines: Afchar et al., "A Fourier explanation of AI-music artifacts", arXiv 2506.19108.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.bandwidth import analysis_frames
from resonate_resources.signal.blocks import in_blocks

Floats = npt.NDArray[np.float64]
Amplitudes = npt.NDArray[np.complex128]

_SPECTRUM_S = 1.5
_FEWEST_SPECTRA = 4
_BESIDE = 63  # lines of 0.7 Hz
_STANDS_DB = 8.0  # noise's geometric mean over four spectra varies by 2.8 dB
_LOWEST_HZ, _HIGHEST = 500.0, 0.97  # of the Nyquist frequency
_SPACING_HZ = (20.0, 2000.0)
_WIDEST_HZ = 500.0  # decoders have 25 to 172 frames a second; synthesisers work in blocks of 64 samples
_FEWEST_TEETH = 10
_FILLED = 0.25  # of a comb's teeth stand, at least
_BY_CHANCE, _TRIED = 3.0, 8  # standard deviations of lines that stand anywhere; the most likely ones

_PART = 4096  # frames, of about a second
_SURE = 4.0  # standard deviations of a tooth's amplitude
_LOUDEST_DB = -15.0  # of all teeth against the recording: louder is a drone that is played
_THERE = 0.5  # of a comb's usual height
_AS_EVER = 0.15


@dataclass(frozen=True)
class Teeth:
    """amplitudes: (channels, teeth) of the multiples of spacing_hz from the first on, of cosines whose phase is that
    at the first sample; 0 of those that are not sure. presence: by second or so, how much of them is there."""

    spacing_hz: float
    amplitudes: Amplitudes
    presence: Floats

    @property
    def power(self) -> float:
        """Mean square of the channels where all is there, full scale 1."""
        return float(np.square(np.abs(self.amplitudes)).sum() / 2 / len(self.amplitudes))


class Decomb:
    """Subtracts them wherever they are found, whatever the preset: there is no less of a good thing."""

    name: StepName = "decomb"

    @property
    def engine(self) -> Engine:
        return Engine("comb subtraction")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """Read three times. Memory: 4 kB a second, channel and hundred teeth."""
        spacing = find_spacing(recording)
        progress(0.3)
        teeth = None if spacing is None else find_teeth(recording, spacing)
        progress(0.6)
        if teeth is None:
            return Mended(recording, "no steady lines at multiples of a spacing")
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block in without(recording, teeth):
                writer.write(block)
        progress(1.0)
        count = int((teeth.amplitudes != 0).any(axis=0).sum())
        return Mended(
            writer.recording,
            f"{count} steady lines at multiples of {teeth.spacing_hz:.2f} Hz subtracted",
            {
                "comb_spacing_hz": teeth.spacing_hz,
                "comb_dbfs": float(10 * np.log10(teeth.power)),
                "comb_present_percent": float(100 * np.mean(teeth.presence > 0)),
            },
        )


def find_spacing(recording: Recording) -> float | None:
    """The spacing in Hz of lines that stand 8 dB over their surroundings in the geometric mean of spectra of 1.5 s,
    of which only what is steady stands out; None where three quarters of the teeth or more do not, and of what is
    shorter than 4 s."""
    from scipy.ndimage import median_filter

    size = 1 << round(np.log2(_SPECTRUM_S * recording.sample_rate))
    if recording.frames < size * (1 + _FEWEST_SPECTRA) // 2:
        return None
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    total, count = np.zeros(size // 2 + 1), 0
    for frames in analysis_frames(recording.blocks(), size):
        for frame in np.moveaxis(frames, 1, 0):
            power = np.square(np.abs(np.fft.rfft(frame * window))).mean(axis=0)
            if power.any():
                total, count = total + np.log10(power + 1e-12), count + 1
    if count < _FEWEST_SPECTRA:
        return None
    level_db = 10 * total / count
    line_hz = recording.sample_rate / size
    first, last = (round(hertz / line_hz) for hertz in (_LOWEST_HZ, _HIGHEST * recording.sample_rate / 2))
    level_db = level_db[:last]
    over = level_db - median_filter(level_db, _BESIDE, mode="nearest")
    tops = (over >= _STANDS_DB) & (over >= np.roll(over, 1)) & (over > np.roll(over, -1))
    tops[:first] = False
    return _spacing(np.flatnonzero(tops), last - first, line_hz)


def _spacing(tops: npt.NDArray[np.intp], lines: int, line_hz: float) -> float | None:
    """The spacing whose multiples have a line that stands within one line, most of them."""
    from scipy.signal import find_peaks

    if len(tops) < _FEWEST_TEETH:
        return None
    size = 8 << int(np.ceil(np.log2(tops[-1] + 1)))
    train = np.zeros(size, np.float32)
    train[tops] = 1
    strength = np.abs(np.fft.rfft(train))  # lines p apart show at size / p, and at multiples of that
    low, high = (int(size * line_hz / hertz) for hertz in reversed(_SPACING_HZ))
    least = _BY_CHANCE * np.sqrt(len(tops))
    periods = find_peaks(strength[low:high], height=least, distance=2 * size // lines)[0] + low
    best, fitting = None, 0.0
    for period in periods[np.argsort(strength[periods])[: -_TRIED - 1 : -1]]:
        spacing, hits = _fitted(tops, size / period, 1 / period)
        filled = hits / (lines / spacing)
        # Of lines that stand anywhere, three beside each tooth are hits.
        if hits >= max(_FEWEST_TEETH, 4 * 3 * len(tops) / spacing) and filled >= _FILLED:
            best, fitting = (spacing, hits * filled) if hits * filled > fitting else (best, fitting)
    return best * line_hz if best is not None and best * line_hz <= _WIDEST_HZ else None


def _fitted(tops: npt.NDArray[np.intp], spacing: float, off: float) -> tuple[float, int]:
    """The spacing, within that part of it, that most lines stand at multiples of, by least squares; how many do."""
    tried = spacing * (1 + np.arange(-off, off, 1 / (2 * tops[-1])))[:, None]
    away = np.abs(tops - np.round(tops / tried) * tried)
    best = int((away <= 1).sum(axis=1).argmax())
    near = away[best] <= 1
    if not near.any():
        return spacing, 0
    number = np.round(tops[near] / tried[best])
    return float((number * tops[near]).sum() / np.square(number).sum()), len(np.unique(number))


def find_teeth(recording: Recording, spacing_hz: float) -> Teeth | None:
    """Amplitudes of the lines at multiples of a spacing known to a hundredth of a line; None where fewer than ten
    are sure, or they are loud as what is played."""
    seen = _by_second(recording, spacing_hz)
    if len(seen) < 2 * _FEWEST_SPECTRA:
        return None
    second = _second(recording.sample_rate) / recording.sample_rate
    number = np.arange(1, seen.shape[2] + 1)
    drift = _drift_hz(seen, second)
    turned = seen * np.exp(-2j * np.pi * drift * second * number * np.arange(len(seen))[:, None, None])
    usual = np.median(turned.real, axis=0) + 1j * np.median(turned.imag, axis=0)
    spread = 1.48 * np.median(np.abs(turned - usual), axis=0) + 1e-12
    sure = np.abs(usual) > _SURE * spread / np.sqrt(len(seen))
    if int(sure.any(axis=0).sum()) < _FEWEST_TEETH:
        return None
    # The phase of a second is that at its middle, and the spacing was off by the drift until there.
    amplitudes = np.where(sure, usual, 0) * np.exp(-1j * np.pi * drift * second * number)
    weights = np.where(sure, np.conj(usual) / np.square(spread), 0)
    presence = (turned * weights).sum(axis=(1, 2)).real / (usual * weights).sum().real
    teeth = Teeth(spacing_hz + drift, amplitudes, _steadied(presence))
    power = np.mean([np.square(block, dtype=np.float64).mean() for block in recording.blocks()])
    return teeth if 0 < teeth.power < power * 10 ** (_LOUDEST_DB / 10) else None


def _steadied(presence: Floats) -> Floats:
    from scipy.ndimage import median_filter

    steady = median_filter(presence, 5, mode="nearest")
    steady[np.abs(steady - 1) < _AS_EVER] = 1.0
    steady[steady < _THERE] = 0.0
    return np.asarray(np.minimum(steady, 2.0), np.float64)


def _drift_hz(seen: Amplitudes, second: float) -> float:
    """By how much the spacing is larger, from how far phases turn between moments ever further apart."""
    number = np.arange(1, seen.shape[2] + 1)
    drift, lag, reach = 0.0, 1, 0.5 / (second * len(number))
    power = np.square(np.abs(seen)).sum(axis=(0, 1)) + 1e-30
    while lag < len(seen):
        turns = (seen[lag:] * np.conj(seen[:-lag])).sum(axis=(0, 1)) / power
        turns *= np.abs(turns)  # those that keep their phase, most
        tried = drift + reach * np.linspace(-1, 1, 65)
        fits = (turns * np.exp(-2j * np.pi * lag * second * tried[:, None] * number)).sum(axis=1).real
        drift, reach, lag = float(tried[fits.argmax()]), reach / 2, lag * 2
    return drift


def _second(sample_rate: int) -> int:
    return _PART * max(1, round(sample_rate / _PART))


def _turns(spacing_hz: float, sample_rate: int) -> npt.NDArray[np.complex64]:
    """(teeth, frames) of one part."""
    number = np.arange(1, int(_HIGHEST * sample_rate / 2 / spacing_hz) + 1)
    cycles = np.outer(number, np.arange(_PART)) * (spacing_hz / sample_rate)
    return np.asarray(np.exp(2j * np.pi * cycles), np.complex64)


def _begin(spacing_hz: float, sample_rate: int, teeth: int, frame: int) -> Amplitudes:
    """(teeth,): phases at a frame."""
    cycles = np.arange(1, teeth + 1) * (spacing_hz / sample_rate * frame)
    return np.asarray(np.exp(2j * np.pi * np.mod(cycles, 1.0)), np.complex128)


def _by_second(recording: Recording, spacing_hz: float) -> Amplitudes:
    """(seconds, channels, teeth); a last one that is not whole is left out."""
    turns = _turns(spacing_hz, recording.sample_rate)
    size = _second(recording.sample_rate)
    window = (np.hanning(size + 1)[:-1] * (4 / size)).astype(np.float32)
    found = []
    for number, block in enumerate(in_blocks(recording.blocks(), size)):
        if block.shape[1] < size:
            break
        parts = (block * window).reshape(-1, _PART)
        each = (parts @ turns.real.T - 1j * (parts @ turns.imag.T)).reshape(len(block), -1, len(turns))
        begins = [
            _begin(spacing_hz, recording.sample_rate, len(turns), number * size + at * _PART)
            for at in range(size // _PART)
        ]
        found.append((each * np.conj(begins)).sum(axis=1))
    return np.array(found) if found else np.zeros((0, recording.channels, len(turns)), np.complex128)


def without(recording: Recording, teeth: Teeth) -> Iterator[Samples]:
    """The recording's blocks less the teeth."""
    rate = recording.sample_rate
    turns = _turns(teeth.spacing_hz, rate)
    count = min(len(turns), teeth.amplitudes.shape[1])
    middles = (np.arange(len(teeth.presence)) + 0.5) * _second(rate)
    for number, block in enumerate(in_blocks(recording.blocks(), _PART)):
        start, frames = number * _PART, block.shape[1]
        begun = teeth.amplitudes[:, :count] * _begin(teeth.spacing_hz, rate, count, start)
        lines = begun.real.astype(np.float32) @ turns.real[:count, :frames]
        lines -= begun.imag.astype(np.float32) @ turns.imag[:count, :frames]
        there = np.interp(np.arange(start, start + frames), middles, teeth.presence)
        yield block - there.astype(np.float32) * lines
