"""A track's tone and width towards those of another recording: what is off, how much of it is moved, by which filter.

The idea is Matchering's (github.com/sergree/matchering): the ratio of two average spectra, smoothed, as filters of
linear phase for mid and side. Here a passage counts by its power, so that loud ones decide without being chosen;
moves are bounded; and nothing is raised that the track does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.bandwidth import LineLevels, analysis_frames, find_upper_edge, measure_line_levels
from resonate_resources.signal.linear_phase import Taps, filtered
from resonate_resources.signal.loudness import k_weighting

Floats = npt.NDArray[np.float64]

THIRDS_HZ = 1000.0 * 2.0 ** (np.arange(-15, 14) / 3)
"""Centres of the bands that are matched: thirds of an octave from 31 Hz to 20 kHz (IEC 61260-1, base two)."""

TONE_DB, WIDTH_DB = 12.0, 4.0
"""The most that a band is raised or lowered, and its side against its mid."""

_FRAME_S = 0.2  # lines 5 Hz apart, at any rate
_FILTER_S = 0.09
_TOLD_S = 3.0

_STEADY_DB, _EVENTFUL_DB = 14.5, 21.8
_FAINT_DB, _RAMP_DB = -40.0, 20.0
_NARROW_DB, _WIDE_DB, _WIDEST_DB = -40.0, -25.0, -3.0
_ONE_SIDED = 0.98


@dataclass(frozen=True)
class Spectrum:
    """Of one recording, by the bands of THIRDS_HZ.

    power: of all channels together, as mean squares, of which side is what the two of stereo differ by.
    lean: from −1, all in the right channel, to 1, all in the left. spread_db: from where its lines fall back to, to
    where they rise. upper_hz: where the spectrum ends. weighted: K-weighted power of all bands.
    """

    power: Floats
    side: Floats
    lean: Floats
    spread_db: Floats
    upper_hz: float
    weighted: float
    seconds: float
    channels: int


@dataclass(frozen=True)
class Moves:
    """In dB, by the bands of THIRDS_HZ: of everything, and of side against mid, with the sum of their power kept."""

    tone_db: Floats
    width_db: Floats
    mid_db: Floats
    side_db: Floats


def spectrum_of(recording: Recording) -> Spectrum:
    """Read twice, in blocks."""
    from scipy.fft import rfft
    from scipy.signal import sosfreqz

    rate = recording.sample_rate
    size = max(2, round(_FRAME_S * rate))
    hertz = np.arange(size // 2 + 1) * rate / size
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    power, side, lean = (np.zeros(len(hertz)) for _ in range(3))
    count = 0
    for frames in analysis_frames(recording.blocks(), size):
        spectra = rfft(frames * window, axis=-1)
        squares = np.square(np.abs(spectra)).sum(axis=1, dtype=np.float64)
        count += frames.shape[1]
        power += squares.sum(axis=0)
        if recording.channels == 2:
            side += np.square(np.abs(spectra[0] - spectra[1])).sum(axis=0, dtype=np.float64) / 2
            lean += squares[0] - squares[1]
    scale = 2 / (count * size * np.square(window, dtype=np.float64).sum())
    members = np.asarray(_third_of(hertz) == np.arange(len(THIRDS_HZ))[:, None], np.float64)
    _, weighting = sosfreqz(k_weighting(rate), hertz, fs=rate)
    levels = measure_line_levels(recording.blocks(), rate)
    band_power = members @ power
    return Spectrum(
        band_power * scale,
        members @ side * scale,
        (members @ lean) / np.maximum(band_power, 1e-30),
        _spread(levels, rate),
        find_upper_edge(levels, rate).upper_hz,
        float(power @ np.square(np.abs(weighting))) * scale,
        recording.duration,
        recording.channels,
    )


def moves_towards(own: Spectrum, reference: Spectrum, amount: float) -> Moves:
    amount = amount * min(1.0, own.seconds / _TOLD_S, reference.seconds / _TOLD_S)
    held = _held(own)
    tone = amount * _tone(own, reference, held)
    width = amount * _width(own, reference, held)
    mid = np.maximum(own.power - own.side, 0.0)
    ratio = 10 ** (width / 10)
    kept = np.divide(own.power, mid + own.side * ratio, out=np.ones_like(mid), where=own.power > 0)
    mid_db = tone + 10 * np.log10(kept)
    return Moves(tone, width, mid_db, mid_db + width)


def moved(recording: Recording, moves: Moves) -> Iterator[Samples]:
    """The recording's blocks, of the same length and without latency."""
    mid_taps = taps_of(moves.mid_db, recording.sample_rate)
    if not moves.width_db.any():
        yield from filtered(recording, mid_taps)
        return
    side_taps = taps_of(moves.side_db, recording.sample_rate)
    for mid, side in zip(filtered(recording, mid_taps), filtered(recording, side_taps), strict=True):
        middle, half = mid.sum(axis=0) / 2, (side[0] - side[1]) / 2
        yield np.stack([middle + half, middle - half])


def taps_of(gains_db: Floats, sample_rate: int) -> Taps:
    """Symmetric taps, an odd number, whose gain goes through gains_db at THIRDS_HZ, straight in log frequency."""
    from scipy.signal import firwin2

    half = round(_FILTER_S * sample_rate / 2)
    hertz = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    curve = np.interp(np.log(np.maximum(hertz, 1.0)), np.log(THIRDS_HZ), gains_db)
    return np.asarray(firwin2(2 * half + 1, hertz, 10 ** (curve / 20), fs=sample_rate), np.float64)


def _held(own: Spectrum) -> Floats:
    """0 to 1, by band: how far the track holds something there that may be raised."""
    level_db = _decibels(own.power / max(own.power.max(), 1e-30))
    eventful = ((own.spread_db - _STEADY_DB) / (_EVENTFUL_DB - _STEADY_DB)).clip(0, 1)
    strong = ((level_db - _FAINT_DB) / _RAMP_DB + eventful).clip(0, 1)
    return strong * _before_the_end(own)


def _tone(own: Spectrum, reference: Spectrum, held: Floats) -> Floats:
    louder = reference.weighted / max(own.weighted, 1e-30)
    off = _decibels(reference.power / louder) - _decibels(own.power)
    told = _before_the_end(reference)
    for band in range(1, len(off)):
        off[band] = told[band] * off[band] + (1 - told[band]) * off[band - 1]
    off = _smoothed(off.clip(-TONE_DB, TONE_DB))
    return np.where(off > 0, held * off, off)


def _smoothed(values: Floats) -> Floats:
    return np.convolve(np.pad(values, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")


def _width(own: Spectrum, reference: Spectrum, held: Floats) -> Floats:
    if own.channels != 2 or reference.channels != 2:
        return np.zeros(len(THIRDS_HZ))
    mine, theirs = (_decibels(each.side) - _decibels(each.power - each.side) for each in (own, reference))
    off = (np.minimum(theirs, np.maximum(mine, _WIDEST_DB)) - mine).clip(-WIDTH_DB, WIDTH_DB)
    for each, ratio in ((own, mine), (reference, theirs)):
        off *= ((ratio - _NARROW_DB) / (_WIDE_DB - _NARROW_DB)).clip(0, 1)
        off *= (1 - np.square(each.lean) / _ONE_SIDED).clip(0, 1)
        off *= _before_the_end(each)
    return np.where(off > 0, held * off, off)


def _before_the_end(spectrum: Spectrum) -> Floats:
    return (3 * np.log2(max(spectrum.upper_hz, 1.0) / THIRDS_HZ)).clip(0, 1)


def _third_of(hertz: Floats) -> Floats:
    return np.asarray(np.round(3 * np.log2(np.maximum(hertz, 1.0) / 1000.0)) + 15, np.float64)


def _spread(levels: LineLevels, sample_rate: int) -> Floats:
    spread = levels.high_db - levels.low_db
    line_hz = sample_rate / 2 / (len(spread) - 1)
    edges = THIRDS_HZ[:, None] * 2.0 ** np.array([-1 / 6, 1 / 6]) / line_hz
    first = np.minimum(np.floor(edges[:, 0]), len(spread) - 1).astype(int)
    last = np.maximum(np.ceil(edges[:, 1]), first + 1).astype(int)
    return np.array([np.median(spread[a:b]) for a, b in zip(first, last, strict=True)])


def _decibels(power: Floats) -> Floats:
    return np.asarray(10 * np.log10(np.maximum(power, 1e-16)), np.float64)
