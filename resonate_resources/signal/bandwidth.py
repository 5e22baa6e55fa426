"""Bandwidth: up to which frequency a recording holds anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

Levels = npt.NDArray[np.float64]
"""Levels of spectral lines, (lines,), in dB."""

_RESOLUTION_HZ = 12.0  # 4096 points at 44.1 and 48 kHz
LOW_QUANTILE = 0.1  # a line is empty for a tenth of the time, even under a voice that never rests
_HIGH_QUANTILE = 0.95  # and filled for a twentieth: cymbals and consonants sound no oftener
_OVER_FLOOR_DB = 12.0
# Of steady noise the 95th percentile of a line's power lies 14.5 dB over the 10th (exponential distribution).
_EVENTFUL_DB = 20.0
_SILENCE_DBFS = -140.0  # under the quantisation noise of 24 bits, spread over the spectrum
_CELLS = 160  # of the histogram, 1 dB each, from _SILENCE_DBFS up
_GAP_HZ = 400.0  # gaps between partials that are not the end of the spectrum
_KNEE_DB = 4.5  # a fall by this much against the half octave below: 18 dB/octave, steeper than music falls
_WALL_DB = 30.0  # brick wall: a fall by this much within a sixth of an octave
_EMPTIED_DB = 30.0  # over digital silence
_CODEC_CUTOFFS_HZ = (16_000.0, 19_000.0, 20_000.0)  # where MP3 and AAC encoders cut
_DC_LINES = 4  # half the main lobe of the window: a DC offset is no content
_PLATEAU_LINES = 32  # fewer lines than this under an edge say nothing of a plateau


@dataclass(frozen=True)
class Bandwidth:
    """upper_hz: highest frequency with content; the Nyquist frequency where the spectrum nowhere ends,
        0 for digital silence.
    brick_wall: whether it ends there more steeply than any instrument, microphone or analogue filter does.
    floor_db: level above upper_hz (of the whole spectrum, where it does not end), in dB against a
        full-scale sine, per spectral line of 12 Hz; at least −140.
    """

    upper_hz: float
    brick_wall: bool
    floor_db: float

    @property
    def codec_cutoff(self) -> bool:
        """Whether the spectrum is cut where MP3 and AAC encoders cut it (16, 19 or 20 kHz)."""
        return self.brick_wall and any(abs(self.upper_hz - cutoff) <= 500 for cutoff in _CODEC_CUTOFFS_HZ)


@dataclass(frozen=True)
class LineLevels:
    """What each spectral line falls back to (10th percentile over time) and rises to (95th percentile), and its
    mean power.

    Shaped (lines,), from 0 Hz to the Nyquist frequency, in dB against a full-scale sine, −140 at least, percentiles
    to 1 dB; channels by their mean power.
    """

    low_db: Levels
    high_db: Levels
    mean_db: Levels


def detect_bandwidth(recording: Recording) -> Bandwidth:
    """Where the spectrum of a recording ends: find_upper_edge of its measure_line_levels.

    One pass; memory does not depend on the recording's length.
    """
    levels = measure_line_levels(recording.blocks(), recording.sample_rate)
    return find_upper_edge(levels, recording.sample_rate)


def measure_line_levels(blocks: Iterable[Samples], sample_rate: int) -> LineLevels:
    """Percentiles over half-overlapping frames of 4096 points at 44.1 and 48 kHz, of as long at other rates, from
    the first that sounds to the last: digital silence before and after was put there."""
    size = 1 << int(np.ceil(np.log2(sample_rate / _RESOLUTION_HZ)))
    lines = size // 2 + 1
    window = _blackman_harris(size)
    histogram = np.zeros((lines, _CELLS), np.int64)
    cell_of_line = np.arange(lines) * _CELLS
    waiting = 0  # silent frames since the last that sounded
    for frames in analysis_frames(blocks, size):
        sounding = np.flatnonzero(np.abs(frames).max(axis=(0, 2)))
        if not len(sounding):
            waiting += frames.shape[1]
            continue
        waiting += int(sounding[0])
        histogram[:, 0] += waiting if histogram.any() else 0
        waiting = frames.shape[1] - 1 - int(sounding[-1])
        heard = frames[:, sounding[0] : sounding[-1] + 1]
        power = (np.abs(np.fft.rfft(heard * window, axis=-1)) ** 2).mean(axis=0)
        dbfs = 10 * np.log10(power * (2 / window.sum()) ** 2 + 1e-20)
        cells = np.clip(np.rint(dbfs - _SILENCE_DBFS), 0, _CELLS - 1).astype(np.int64) + cell_of_line
        histogram += np.bincount(cells.ravel(), minlength=histogram.size).reshape(histogram.shape)
    counts = histogram.cumsum(axis=1)
    low, high = (
        (counts >= quantile * counts[:, -1:]).argmax(axis=1) + _SILENCE_DBFS
        for quantile in (LOW_QUANTILE, _HIGH_QUANTILE)
    )
    power = histogram @ 10 ** ((np.arange(_CELLS) + _SILENCE_DBFS) / 10)
    mean = 10 * np.log10(power / np.maximum(counts[:, -1], 1) + 10 ** (_SILENCE_DBFS / 10))
    return LineLevels(low, high, mean)


def find_upper_edge(levels: LineLevels, sample_rate: int) -> Bandwidth:
    """Bandwidth from the levels of spectral lines, evenly spaced from 0 Hz to sample_rate / 2.

    Content moves by more than steady noise does; where it stops, the spectrum ends if from
    there its level falls by 12 dB within half an octave (never to return), down to the knee of that slope.
    Of sound without rests, in which content and noise cannot be told apart, the end is the highest such fall.
    Gentler falls are music's own and end nothing.
    """
    from scipy.ndimage import grey_closing, uniform_filter1d

    nyquist = sample_rate / 2
    lines = len(levels.high_db)
    line_hz = nyquist / (lines - 1)
    gap = max(3, round(_GAP_HZ / line_hz))
    padded = np.pad(levels.high_db, gap, constant_values=_SILENCE_DBFS)
    envelope = grey_closing(padded, size=(gap,))[gap:-gap]
    envelope[:_DC_LINES] = _SILENCE_DBFS
    if envelope.max() < _SILENCE_DBFS + _OVER_FLOOR_DB:
        return Bandwidth(0.0, False, _SILENCE_DBFS)

    line = np.arange(lines)
    emptied = _emptied_from(envelope)
    if emptied is not None:
        return Bandwidth(emptied * line_hz, True, _SILENCE_DBFS)
    # Half an octave above, and near the Nyquist frequency half the way there.
    above = np.minimum(np.ceil(line * 2**0.5), np.ceil((line + lines - 1) / 2)).astype(np.int64)
    highest_above = np.maximum.accumulate(envelope[::-1])[::-1][above]
    ends = envelope >= highest_above + _OVER_FLOOR_DB
    below = np.floor(line / 2**0.5).astype(np.int64)
    total = np.concatenate(([0.0], envelope.cumsum()))
    level_below = (total[line + 1] - total[below]) / (line + 1 - below)
    on_plateau = envelope >= level_below - _KNEE_DB

    eventful = levels.high_db - levels.low_db >= _EVENTFUL_DB
    filled = uniform_filter1d(eventful.astype(np.float64), gap) >= 0.5
    highest_filled = int(np.flatnonzero(filled)[-1]) if filled.any() else 0
    for foot in (highest_filled, *np.flatnonzero(ends & (line > highest_filled))[-1:]):
        knee = int(np.flatnonzero(on_plateau[: foot + 1])[-1])
        if ends[knee]:
            beyond = min(int(np.ceil(knee * 2 ** (1 / 6))) + 1, (knee + lines - 1) // 2)
            plateau = envelope[below[knee] : knee + 1]
            wall = len(plateau) >= _PLATEAU_LINES and np.median(plateau) - envelope[beyond] >= _WALL_DB
            return Bandwidth(knee * line_hz, bool(wall), float(highest_above[knee]))
    return Bandwidth(nyquist, False, float(envelope[_DC_LINES:].min()))


def _emptied_from(envelope: Levels) -> int | None:
    """The line over which a filter left nothing at all of a spectrum that goes on at audible levels up to it."""
    audible = envelope >= _SILENCE_DBFS + _EMPTIED_DB
    last = int(np.flatnonzero(audible)[-1]) if audible.any() else 0
    beyond = int(np.ceil(last * 2 ** (1 / 12)))
    if last < _PLATEAU_LINES or beyond >= len(envelope) or envelope[beyond:].max() > _SILENCE_DBFS:
        return None
    half_octave = envelope[int(last / 2**0.5) : last + 1]
    return last if np.median(half_octave) >= _SILENCE_DBFS + 2 * _EMPTIED_DB else None


def analysis_frames(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Half-overlapping frames in batches shaped (channels, count, size); audio shorter than one is zero-padded."""
    pending = np.zeros((1, 0), np.float32)
    hop = size // 2
    framed = False
    for block in blocks:
        pending = np.concatenate((pending, block), axis=1) if pending.size else block
        if pending.shape[1] >= size:
            frames = np.lib.stride_tricks.sliding_window_view(pending, size, axis=1)[:, ::hop]
            yield frames
            framed = True
            pending = pending[:, frames.shape[1] * hop :]
    if not framed:
        yield np.pad(pending, ((0, 0), (0, size - pending.shape[1])))[:, None]


def _blackman_harris(size: int) -> npt.NDArray[np.float32]:
    """Four-term Blackman–Harris window: side lobes at −92 dB, so that a loud line fills no empty band.

    Harris, "On the use of windows for harmonic analysis with the DFT", Proc. IEEE 66 (1978).
    """
    phase = 2 * np.pi * np.arange(size) / size
    window = 0.35875 - 0.48829 * np.cos(phase) + 0.14128 * np.cos(2 * phase) - 0.01168 * np.cos(3 * phase)
    return window.astype(np.float32)
