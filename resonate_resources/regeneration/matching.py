"""What is played brought to the tone, level and width of what was recorded.

Tone is one linear-phase filter a stem, level and width follow bar by bar. More would copy the recording's course
onto a part that does not have it: gains that follow every half second play more than the instrument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.likeness import frames_of_both
from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.linear_phase import SECONDS, Taps, convolved

Floats = npt.NDArray[np.float64]

STEM_EQ_DB: Final = 12.0
BUS_EQ_DB: Final = 6.0
_LOUDER_DB, _SOFTER_DB = 6.0, -12.0  # of a bar against the whole
_STRETCH_S: Final = 2.0  # stands in for a bar where there are none, as in the analysis
_LOWEST_HZ, _HIGHEST_HZ, _PER_OCTAVE = 22.4, 18_000.0, 3
_SIZE: Final = 4096
_AUDIBLE_DB: Final = -50.0  # bands further under the loudest are not made louder
_NOTHING_DB, _WALL_DB = (
    -90.0,
    -60.0,
)  # where the recording has nothing (a codec's wall), nothing is to be heard
_SILENT_DB: Final = -60.0  # bars further under the loudest
_NARROW_DB: Final = -12.0  # of side against mid, under the recording's: there is none to be made louder
_RAMP_S: Final = 0.1
_SPREAD_S, _PULSES_PER_S = 0.03, 1200
_MID, _SIDE = 0, 1


def bars(downbeats_s: Sequence[float], sample_rate: int, frames: int) -> list[int]:
    """Frames at which bars begin, 0 the first, and the end; stretches of 2 s where no bar is known."""
    starts = [round(second * sample_rate) for second in downbeats_s]
    if len(starts) < 2:
        starts = list(range(0, frames, round(_STRETCH_S * sample_rate)))
    return [0, *(start for start in starts if 0 < start < frames), frames]


@dataclass(frozen=True)
class Levels:
    """power: (bars, 2, bands), sums of squares of mid and side. hertz: the bands' centres."""

    power: Floats
    hertz: Floats


def levels_of(blocks: Iterator[Samples], sample_rate: int, edges: Sequence[int]) -> Levels:
    """Of a stream of two channels, in the bars between edges, in thirds of an octave."""
    from scipy.fft import rfft

    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    bands = ratio_bands(_PER_OCTAVE, _LOWEST_HZ, min(_HIGHEST_HZ, sample_rate / 2), sample_rate, _SIZE)
    power = np.zeros((max(1, len(edges) - 1), 2, bands.shape[1]))
    at = 0
    for both in frames_of_both(_mid_and_side(blocks), _SIZE):
        bar = np.searchsorted(edges, (at + np.arange(len(both[0]))) * (_SIZE // 2), side="right") - 1
        for part, frames in enumerate(both):
            heard = np.square(np.abs(rfft(frames * window))) @ bands
            np.add.at(power[:, part], bar.clip(0, len(power) - 1), heard)
        at += len(both[0])
    lines = np.arange(len(bands))[:, None] * sample_rate / _SIZE
    return Levels(power, np.asarray((lines * bands).sum(axis=0) / bands.sum(axis=0), np.float64))


@dataclass(frozen=True)
class Match:
    """What brings one to the other. taps: of mid and of side. spread: the side is made from the mid, as there is
    none of its own. gains: (bars, 2), of mid and side. eq_db: of mid, by band, as it is told."""

    taps: tuple[Taps, Taps]
    spread: bool
    gains: Floats
    edges: tuple[int, ...]
    eq_db: Floats
    sample_rate: int

    def applied(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream of two channels, matched; of the same length."""
        at = 0
        for block in convolved(_split(blocks, self.spread), self.taps):
            mid, side = block * self._gains_at(at, block.shape[1])
            at += block.shape[1]
            yield np.stack([mid + side, mid - side])

    def _gains_at(self, start: int, frames: int) -> Samples:
        """(2, frames): steps at bars, with ramps over them."""
        ramp = round(_RAMP_S * self.sample_rate)
        inner = np.array(self.edges[1:-1])
        first = int(np.searchsorted(inner, start - ramp))
        last = int(np.searchsorted(inner, start + frames + ramp))
        times = (inner[first:last, None] + np.array([-ramp, ramp])).ravel()
        times = np.maximum.accumulate(times) if len(times) else np.array([start])
        rows = self.gains[first : last + 1].T
        values = np.repeat(rows, 2, axis=1)[:, 1:-1] if last > first else rows[:, :1]
        at = np.arange(start, start + frames)
        return np.stack([np.interp(at, times, row) for row in values]).astype(np.float32)


def match(
    original: Levels,
    played: Levels,
    edges: Sequence[int],
    sample_rate: int,
    most_db: float = STEM_EQ_DB,
    width: float = 1.0,
) -> Match:
    """Both were heard between the same edges. Where one of the two is silent, nothing is changed.

    most_db: how far tone is brought to the original's, either way. width: factor of the side, once it is as loud as
    the original's.
    """
    wanted, had = original.power.sum(axis=0), played.power.sum(axis=0)
    loudness = _k_weights(original.hertz)
    if not wanted.any() or not had.any():
        even = (np.ones(1), np.ones(1))
        return Match(even, False, np.ones((len(edges) - 1, 2)), tuple(edges), 0 * loudness, sample_rate)
    whole = 10 * np.log10((wanted[_MID] @ loudness) / max(had[_MID] @ loudness, 1e-30))
    mid_db = whole + eq_db(wanted[_MID], had[_MID] * 10 ** (whole / 10), most_db)
    wide = 10 * np.log10((wanted[_SIDE].sum() + 1e-30) / (wanted[_MID].sum() + 1e-30))
    has = 10 * np.log10((had[_SIDE].sum() + 1e-30) / (had[_MID].sum() + 1e-30))
    spread = bool(has < wide + _NARROW_DB)
    beside = had[_MID] if spread else had[_SIDE]
    if wanted[_SIDE].sum() > 1e-6 * wanted[_MID].sum() and beside.any():
        level = 10 * np.log10(wanted[_SIDE].sum() / max(float(beside.sum()), 1e-30))
        side_db = level + eq_db(wanted[_SIDE], beside * 10 ** (level / 10), most_db)
    else:
        side_db = np.full_like(mid_db, -120.0)
    curves = np.stack([mid_db, side_db])
    reached = np.stack([played.power[:, _MID], played.power[:, _MID if spread else _SIDE]], axis=1)
    reached = reached * 10 ** (curves / 10)
    gains = _bar_gains(original.power.sum(axis=2), reached.sum(axis=2)) * np.array([1.0, width])
    taps = tuple(taps_of(curve, original.hertz, sample_rate) for curve in curves)
    return Match((taps[0], taps[1]), spread, gains, tuple(edges), mid_db - whole, sample_rate)


def bus_taps(original: Levels, played: Levels, sample_rate: int, most_db: float = BUS_EQ_DB) -> Taps:
    """The filter of all stems together that brings the tone of their sum to the original's, most_db either way."""
    wanted, had = (levels.power.sum(axis=(0, 1)) for levels in (original, played))
    if not wanted.any() or not had.any():
        return np.ones(1)
    had = had * wanted.sum() / had.sum()
    return taps_of(eq_db(wanted, had, most_db), original.hertz, sample_rate)


def eq_db(wanted: Floats, had: Floats, most_db: float) -> Floats:
    """Gain by band, smoothed over its neighbours: (bands,) in dB, most_db at most; bands in which nothing is wanted
    are cut."""
    wanted_db, had_db = (
        10 * np.log10(np.maximum(power, 10 ** (_NOTHING_DB / 10) * power.max())) for power in (wanted, had)
    )
    audible = wanted_db.max() + _AUDIBLE_DB
    gain = np.where(
        wanted_db > audible,
        wanted_db - np.maximum(had_db, had_db.max() + _AUDIBLE_DB),
        np.minimum(wanted_db - had_db, 0.0),
    )
    padded = np.pad(gain.clip(-most_db, most_db), 1, mode="edge")
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], "valid")
    nothing = wanted <= 10 ** (_NOTHING_DB / 10) * wanted.max()
    return np.asarray(np.where(nothing, np.minimum(smooth, _WALL_DB), smooth))


def _bar_gains(wanted: Floats, had: Floats) -> Floats:
    """(bars, 2) as amplitudes. Where one of the two rests there is nothing to be matched."""
    silent = 10 ** (_SILENT_DB / 10)
    sounding = (had > silent * had.max(axis=0)) & (wanted > 0)
    gain_db = 10 * np.log10(np.maximum(wanted, 1e-30) / np.maximum(had, 1e-30))
    return np.asarray(np.where(sounding, 10 ** (gain_db.clip(_SOFTER_DB, _LOUDER_DB) / 20), 1.0))


def _k_weights(hertz: Floats) -> Floats:
    """Power of BS.1770's K weighting there, about: a shelf of 4 dB over 1.7 kHz, a high-pass at 38 Hz."""
    shelf = 1 + (10**0.4 - 1) / (1 + (1700.0 / hertz) ** 2)
    return np.asarray(shelf / (1 + (38.0 / hertz) ** 2) ** 2)


def taps_of(curve_db: Floats, hertz: Floats, sample_rate: int) -> Taps:
    """Linear phase, 90 ms, straight in log frequency between the bands' centres."""
    from scipy.signal import firwin2

    half = round(SECONDS * sample_rate / 2)
    lines = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    gain = 10 ** (np.interp(np.log(np.maximum(lines, 1.0)), np.log(hertz), curve_db) / 20)
    return np.asarray(firwin2(2 * half + 1, lines, gain, fs=sample_rate), np.float64)


def _mid_and_side(blocks: Iterator[Samples]) -> Iterator[Samples]:
    for left, right in blocks:
        yield np.asarray(np.stack([left + right, left - right]) / 2, np.float32)


def _split(blocks: Iterator[Samples], spread: bool) -> Iterator[Samples]:
    """Mid and side; or the mid and the same blurred, which has little in common with it (velvet noise: Karjalainen
    and Järveläinen, AES 30th conference, 2007)."""
    if not spread:
        yield from _mid_and_side(blocks)
        return
    mids = (np.asarray(np.repeat((left + right)[None], 2, axis=0) / 2, np.float32) for left, right in blocks)
    yield from convolved(mids, [np.ones(1), _velvet()])


def _velvet() -> Taps:
    """Pulses of either sign, one in each stretch, of power 1 together; an odd number of taps."""
    stretch = 44_100 // _PULSES_PER_S
    count = round(_SPREAD_S * _PULSES_PER_S)
    taps = np.zeros(count * stretch | 1)
    random = np.random.default_rng(0)
    for start, _ in pairwise(range(0, count * stretch + 1, stretch)):
        taps[start + random.integers(stretch)] = random.choice([-1.0, 1.0])
    return np.asarray(taps / np.sqrt(np.square(taps).sum()))
