"""A track's tone and width towards those of another recording: what is off, how much is moved, by which filter.

The idea is Matchering's (github.com/sergree/matchering): the ratio of two average spectra, smoothed, as filters of
linear phase for mid and side. Here a passage counts by its power, so that loud ones decide without being chosen;
moves are bounded; and nothing is raised that the track does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import AudioError, Recording, Samples
from resonate_resources.signal.bandwidth import (
    LineLevels,
    analysis_frames,
    find_upper_edge,
    measure_line_levels,
)
from resonate_resources.signal.linear_phase import Taps, filtered
from resonate_resources.signal.loudness import k_weighting
from resonate_resources.signal.octaves import OCTAVES_HZ

Floats = npt.NDArray[np.float64]
"""By band, shaped as THIRDS_HZ, unless something else is said."""

THIRDS_HZ = 1000.0 * 2.0 ** (np.arange(-15, 14) / 3)
"""Centres of the bands that are matched: thirds of an octave from 31 Hz to 20 kHz (IEC 61260-1, base two)."""

TONE_DB, WIDTH_DB = 12.0, 4.0
"""The most that a band is raised or lowered, and its side against its mid."""

TOLD_S = 3.0
"""What is shorter, track or reference, says that much less of its tone: a chord, a stroke."""

_FRAME_S = 0.2  # lines 5 Hz apart, at any rate
_FILTER_S = 0.09  # as long as Matchering's

# From where a line falls back to (10th percentile) to where it rises (95th) steady noise spans 14.5 dB (exponential
# distribution), what comes and goes over it 12 dB more than the 9.8 under its mean.
_STEADY_DB, _EVENTFUL_DB = 14.5, 21.8
# What comes and goes may be raised in full from 40 dB under the strongest third on, steady sound (a pad, a hiss)
# from 20 dB on, and each not at all another 20 dB below.
_FAINT_DB, _RAMP_DB = -40.0, 20.0
# Side against mid: under −40 dB there is none but rounding and encoding, from −25 dB on it counts in full; it is
# not raised over −3 dB, beyond which the sum of the channels suffers.
_NO_SIDE_DB, _SIDE_DB, _WIDEST_DB = -40.0, -25.0, -3.0
_ONE_SIDED = 0.98
"""What leans so far (squared) to one channel is a sound at its place, and has no width."""
_TELLING_DB = 1.0
_SILENT = 10**-6.93  # −70 LUFS, the absolute gate of BS.1770


@dataclass(frozen=True)
class Spectrum:
    """Of one recording.

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
    """What is moved, in dB: tone of everything, width of side against mid.

    wanted_db: what the tone is off. reasons: why it is not moved by as much, one line each.
    """

    tone_db: Floats
    width_db: Floats
    wanted_db: Floats
    mid_db: Floats
    """Of mid, and of all that has no sides: tone, less what the power of the side gains by its width."""
    reasons: tuple[str, ...]

    @property
    def any(self) -> bool:
        return bool(self.tone_db.any() or self.width_db.any())

    @property
    def span_db(self) -> float:
        """The most that any two bands were moved against each other."""
        return float(np.ptp(self.tone_db))


def spectrum_of(recording: Recording) -> Spectrum:
    """Read twice, in blocks; memory does not depend on the length."""
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
    """What of a track is moved, if it is by that part, 0 to 1, of what may be. Raises AudioError for a silent
    reference."""
    if reference.weighted < _SILENT:
        raise AudioError("mastering.reference: is silent, or under −70 LUFS; give a recording with sound")
    told = min(1.0, own.seconds / TOLD_S, reference.seconds / TOLD_S)
    held = _held(own)
    wanted = _wanted(own, reference)
    bounded = wanted.clip(-TONE_DB, TONE_DB)
    tone = amount * told * np.where(bounded > 0, held * bounded, bounded)
    width = amount * told * _width(own, reference, held)
    mid = np.maximum(own.power - own.side, 0.0)
    widened = mid + own.side * 10 ** (width / 10)
    kept = np.divide(own.power, widened, out=np.ones_like(mid), where=widened > 0)
    return Moves(
        tone, width, wanted, tone + 10 * np.log10(kept), tuple(_reasons(own, reference, wanted, held, told))
    )


def moved(recording: Recording, moves: Moves) -> Iterator[Samples]:
    """The recording's blocks, of the same length and without latency; width only of two channels."""
    mid_taps = taps_of(moves.mid_db, recording.sample_rate)
    if not moves.width_db.any():
        yield from filtered(recording, mid_taps)
        return
    side_taps = taps_of(moves.mid_db + moves.width_db, recording.sample_rate)
    for mid, side in zip(filtered(recording, mid_taps), filtered(recording, side_taps), strict=True):
        middle, half = (mid[0] + mid[1]) / 2, (side[0] - side[1]) / 2
        yield np.stack([middle + half, middle - half])


def taps_of(gains_db: Floats, sample_rate: int) -> Taps:
    """Symmetric taps, an odd number, whose gain goes through gains_db at THIRDS_HZ, straight in log frequency.

    An octave below nothing is raised, nor above the last: what lies there was not matched.
    """
    from scipy.signal import firwin2

    half = round(_FILTER_S * sample_rate / 2)
    hertz = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    centres = np.concatenate([[THIRDS_HZ[0] / 2], THIRDS_HZ, [THIRDS_HZ[-1] * 2 ** (1 / 3)]])
    gains = np.concatenate([[min(0.0, gains_db[0])], gains_db, [min(0.0, gains_db[-1])]])
    curve = np.interp(np.log(np.maximum(hertz, 1.0)), np.log(centres), gains)
    return np.asarray(firwin2(2 * half + 1, hertz, 10 ** (curve / 20), fs=sample_rate), np.float64)


def by_octave(values: Floats) -> Floats:
    """(octaves,): the mean over the bands of each of OCTAVES_HZ."""
    octave = np.round(np.log2(THIRDS_HZ / 1000.0)) + 5
    return np.array([values[octave == number].mean() for number in range(len(OCTAVES_HZ))])


def _held(own: Spectrum) -> Floats:
    """0 to 1: how far the track holds something there that may be raised."""
    level_db = _decibels(own.power / max(own.power.max(), 1e-30))
    eventful = ((own.spread_db - _STEADY_DB) / (_EVENTFUL_DB - _STEADY_DB)).clip(0, 1)
    over = (level_db - _FAINT_DB) / _RAMP_DB
    steady = over.clip(0, 1) * _before_the_end(own)  # beyond it is noise, if anything
    return np.asarray(eventful * (over + 1).clip(0, 1) + (1 - eventful) * steady, np.float64)


def _wanted(own: Spectrum, reference: Spectrum) -> Floats:
    """What the reference has more, in dB, at equal loudness. Over its end, where it tells nothing, as below."""
    louder = reference.weighted / max(own.weighted, 1e-30)
    off = _decibels(reference.power / louder) - _decibels(own.power)
    told = _before_the_end(reference)
    for band in range(1, len(off)):
        off[band] = told[band] * off[band] + (1 - told[band]) * off[band - 1]
    return off


def _width(own: Spectrum, reference: Spectrum, held: Floats) -> Floats:
    """Side against mid, in dB: only where both have a side, and neither a sound at its place in one channel."""
    if own.channels != 2 or reference.channels != 2:
        return np.zeros(len(THIRDS_HZ))
    mine, theirs = (_decibels(each.side) - _decibels(each.power - each.side) for each in (own, reference))
    off = (np.minimum(theirs, np.maximum(mine, _WIDEST_DB)) - mine).clip(-WIDTH_DB, WIDTH_DB)
    for each, ratio in ((own, mine), (reference, theirs)):
        off *= ((ratio - _NO_SIDE_DB) / (_SIDE_DB - _NO_SIDE_DB)).clip(0, 1)
        off *= (1 - np.square(each.lean) / _ONE_SIDED).clip(0, 1)
    off *= _before_the_end(reference)
    return np.where(off > 0, held * off, off)


def _reasons(own: Spectrum, reference: Spectrum, wanted: Floats, held: Floats, told: float) -> Iterator[str]:
    """Why less is moved than the two are off, where that tells."""
    if told < 1:
        shorter = "the reference" if reference.seconds < own.seconds else "the track"
        yield f"{shorter} lasts only {min(own.seconds, reference.seconds):.1f} s, and counts {told:.0%}"
    bounded = wanted.clip(-TONE_DB, TONE_DB)
    if far := _bands(np.abs(wanted) >= TONE_DB + _TELLING_DB):
        yield f"no band is moved by more than {TONE_DB:g} dB: {far}"
    if faint := _bands((1 - held) * bounded >= _TELLING_DB):
        yield f"not raised in full, as the track holds little but noise there, or nothing: {faint}"
    if own.channels > 2:
        yield f"the same filter for all {own.channels} channels"
    elif own.channels == 2 and reference.channels == 1:
        yield "width stays: the reference is mono"
    elif own.channels == 2 and reference.channels > 2:
        yield f"width stays: the reference has {reference.channels} channels"


def _bands(chosen: npt.NDArray[np.bool_]) -> str:
    """Runs of bands, as in `31–63 Hz, 16–20 kHz`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]])))
    return ", ".join(
        f"{_hertz(THIRDS_HZ[first])}–{_hertz(THIRDS_HZ[last - 1])}"
        if last - first > 1
        else _hertz(THIRDS_HZ[first])
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    )


def _hertz(hertz: float) -> str:
    return f"{hertz:.0f} Hz" if hertz < 1000 else f"{hertz / 1000:.3g} kHz"


def _before_the_end(spectrum: Spectrum) -> Floats:
    """1 up to a third of an octave under the end of the spectrum, 0 from there on."""
    return np.asarray((3 * np.log2(max(spectrum.upper_hz, 1.0) / THIRDS_HZ)).clip(0, 1), np.float64)


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
