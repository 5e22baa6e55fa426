"""Sample peak and true peak (ITU-R BS.1770-5, annex 2)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

BEFORE, AFTER = 15, 16
"""Samples before and after that the value between a sample and its successor is interpolated from."""

_TAPS = (
    BEFORE + 1 + AFTER
)  # per phase; annex 2 has 12: a longer filter also reads what lies close under Nyquist
_FRAMES = 64  # frames whose in-between values come from one row of the matrix product


class TruePeakMeter:
    """Meters audio given block by block; its state is the frames that the filter still needs.

    sample_rate in Hz. Oversamples by 4 under 96 kHz, by 2 under 192 kHz, else not: annex 2 asks for
    at least 192 kHz. A low-rate recording is thereby read as closely, relative to its band.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._oversampling = _oversampling(sample_rate)
        self._interpolation = interpolation_matrix(self._oversampling)
        self._tail = np.zeros((channels, _TAPS - 1), np.float32)
        self._peak = 0.0

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        self._peak = max(self._peak, _absolute_peak(block))
        if self._oversampling == 1:
            return
        samples = np.concatenate([self._tail, block], axis=1)
        between = peaks_between(samples, self._interpolation)
        self._peak = max(self._peak, _absolute_peak(between))
        self._tail = samples[:, between.size :]

    def peak(self) -> float:
        """True peak of all channels so far in dBTP, with silence taken to follow; -inf for silence."""
        if self._oversampling == 1:
            return _decibels(self._peak)
        ending = np.pad(self._tail, ((0, 0), (0, 2 * _FRAMES + _TAPS)))
        return _decibels(max(self._peak, _absolute_peak(peaks_between(ending, self._interpolation))))


class TruePeakTrace:
    """The true peak of each window of window_frames, of audio given block by block, rates as with TruePeakMeter."""

    def __init__(self, sample_rate: int, channels: int, window_frames: int) -> None:
        self._interpolation = interpolation_matrix(_oversampling(sample_rate))
        self._window = window_frames
        self._samples = np.zeros((channels, BEFORE), np.float32)  # not yet judged, after those looked back on
        self._pending = np.zeros(0, np.float32)
        self._peaks: list[npt.NDArray[np.float32]] = []

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        samples = np.concatenate([self._samples, block], axis=1)
        between = peaks_between(samples, self._interpolation)
        at = np.abs(samples[:, BEFORE : BEFORE + between.size]).max(axis=0, initial=0.0)
        peaks = np.concatenate([self._pending, np.maximum(at, between)])
        whole = peaks.size // self._window * self._window
        self._peaks.append(peaks[:whole].reshape(-1, self._window).max(axis=1, initial=0.0))
        self._samples, self._pending = samples[:, between.size :], peaks[whole:]

    def peaks(self) -> npt.NDArray[np.float64]:
        """(windows,) in dBTP, the last one as long as is left, with silence taken to follow; -inf for silence."""
        left = self._samples.shape[1] - BEFORE
        ending = np.pad(self._samples, ((0, 0), (0, 2 * _FRAMES + _TAPS)))
        between = peaks_between(ending, self._interpolation)[:left]
        at = np.abs(self._samples[:, BEFORE:]).max(axis=0, initial=0.0)
        rest = np.concatenate([self._pending, np.maximum(at, between)])
        starts = range(0, rest.size, self._window)
        last = np.array([rest[start : start + self._window].max() for start in starts])
        with np.errstate(divide="ignore"):  # −inf is what is meant
            return np.asarray(20 * np.log10(np.concatenate([*self._peaks, last])), np.float64)


def measure_true_peak(recording: Recording) -> float:
    """True peak of all channels in dBTP; -inf for silence."""
    meter = TruePeakMeter(recording.sample_rate, recording.channels)
    for block in recording.blocks():
        meter.update(block)
    return meter.peak()


class SamplePeakMeter:
    """The highest absolute sample of audio given block by block."""

    def __init__(self) -> None:
        self._peak = 0.0

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        self._peak = max(self._peak, _absolute_peak(block))

    def peak(self) -> float:
        """Of all channels so far in dBFS; -inf for silence."""
        return _decibels(self._peak)


def measure_sample_peak(recording: Recording) -> float:
    """Highest absolute sample of all channels in dBFS; -inf for silence."""
    meter = SamplePeakMeter()
    for block in recording.blocks():
        meter.update(block)
    return meter.peak()


def _oversampling(sample_rate: int) -> int:
    return 4 if sample_rate < 96_000 else 2 if sample_rate < 192_000 else 1


def interpolation_matrix(oversampling: int) -> npt.NDArray[np.float32]:
    """Takes 64 + 31 samples to the values between 64 of them and their successors: a polyphase FIR as a matrix.

    Columns are the phases in turn, 64 each; the phase that falls on the samples themselves is left out.
    Kaiser window, β = 5, as in scipy.signal.resample_poly.
    """
    phases = np.arange(1, oversampling) / oversampling
    offsets = np.arange(_TAPS)[:, None] - BEFORE - phases
    window = np.i0(5.0 * np.sqrt(1 - (offsets / (_TAPS / 2)) ** 2)) / np.i0(5.0)
    filters = np.sinc(offsets) * window
    filters /= filters.sum(axis=0)
    matrix = np.zeros((_FRAMES + _TAPS - 1, oversampling - 1, _FRAMES), np.float32)
    for frame in range(_FRAMES):
        matrix[frame : frame + _TAPS, :, frame] = filters
    return matrix.reshape(_FRAMES + _TAPS - 1, -1)


def peaks_between(samples: Samples, interpolation: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Highest absolute value, over channels and phases, between each sample and its successor.

    Result i belongs to sample i + BEFORE. There are as many as whole rows of 64 fit, so the last samples
    may have to be given again.
    """
    rows = max(0, samples.shape[1] - (_TAPS - 1)) // _FRAMES
    peaks = np.zeros((rows, _FRAMES), np.float32)
    if not rows:
        return peaks.reshape(-1)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _FRAMES + _TAPS - 1, axis=1)
    for channel in windows[:, ::_FRAMES]:
        for start in range(0, rows, 256):  # 256 rows fit the processor's cache
            here = slice(start, min(start + 256, rows))
            values = np.abs(np.ascontiguousarray(channel[here]) @ interpolation)
            for phase in range(0, values.shape[1], _FRAMES):
                np.maximum(peaks[here], values[:, phase : phase + _FRAMES], out=peaks[here])
    return peaks.reshape(-1)


def _absolute_peak(values: npt.NDArray[np.float32]) -> float:
    return float(max(np.max(values, initial=0.0), -np.min(values, initial=0.0)))


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
