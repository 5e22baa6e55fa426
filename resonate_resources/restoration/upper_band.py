"""What a cut took from the highs of a recording, made again: copied up from below it, as loud as music is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.short_time import (
    OVERLAP,
    Spectra,
    root_hann,
    short_time_spectra,
    window_frames,
)
from resonate_resources.restoration.upper_envelope import BELOW, SECONDS, Past, Thirds, above_db, inputs

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_HIGHEST_HZ = 20_000.0  # nobody hears what is over it
_NOISE = 0.5  # of the power; the rest keeps the pitch and the phase of what it is copied from
_SEED = 1
_SMOOTH_HZ = 150.0
_LOWEST_HZ, _STEEPEST_DB = 3000.0, 18.0
_LIFT_DB = 12.0
_STEADY_DB = 3.5, 5.5
_INAUDIBLE_DBFS = -100.0  # of a line, against a full-scale sine


@dataclass(frozen=True)
class UpperBand:
    """What is to lie above cut_hz.

    there: mean power of each line of the recording as it is. wanted: of the same as it should be, by `upper_envelope`;
    both of spectra as `short_time` has them, channels by their mean. lift: gain of each line of what a gentle slope
    left, 1 to 4; 1 below the cut.
    """

    cut_hz: float
    sample_rate: int
    there: Doubles
    wanted: Doubles
    lift: Floats

    @cached_property
    def missing(self) -> Floats:
        """Of the wanted power at each line, the part that is not there when it is lifted: 0 below the cut."""
        hertz = _hertz(self.there, self.sample_rate)
        lifted = _smooth(self.there * np.square(self.lift), hertz)
        part = np.clip(1 - lifted / np.maximum(self.wanted, 1e-30), 0, 1)
        return np.where((hertz >= self.cut_hz) & (hertz <= _HIGHEST_HZ), part, 0).astype(np.float32)

    @property
    def lacking_db(self) -> float:
        """How far what is there lies under what is wanted, from a sixth of an octave over the cut to 16 kHz."""
        hertz = _hertz(self.there, self.sample_rate)
        above = (hertz > self.cut_hz * 2 ** (1 / 6)) & (hertz < min(16_000.0, 0.9 * self.sample_rate / 2))
        if not above.any():
            return 0.0
        floor = 10 ** (_INAUDIBLE_DBFS / 10) * (2 * (len(hertz) - 1) / np.pi) ** 2
        ratio = (self.wanted[above] + floor) / (self.there[above] + floor)
        return float(np.mean(10 * np.log10(ratio)))


def look(blocks: Callable[[], Iterator[Samples]], cut_hz: float, sample_rate: int, wall: bool) -> UpperBand:
    """Two passes over a recording, each through `blocks`. cut_hz: where its spectrum ends; of one that ends by no wall,
    the cut is where the slope begins that ends there."""
    size = window_frames(sample_rate, SECONDS)
    there, geometric, wanted, moments = (
        np.zeros(size // 2 + 1),
        np.zeros(size // 2 + 1),
        np.zeros(size // 2 + 1),
        0,
    )
    for each in short_time_spectra(blocks(), size, root_hann):
        power = _power(each)
        there += power.sum(axis=0, dtype=np.float64)
        geometric += np.log(power + np.float32(1e-20)).sum(axis=0, dtype=np.float64)
        moments += len(power)
    there, geometric = there / max(1, moments), geometric / max(1, moments)
    hertz = _hertz(there, sample_rate)
    if not wall:
        cut_hz = _knee(_smooth(there, hertz), hertz, cut_hz)
    envelope = _Envelope(cut_hz, sample_rate, there)
    for each in short_time_spectra(blocks(), size, root_hann):
        wanted += envelope.power(_power(each)).sum(axis=0, dtype=np.float64)
    wanted /= max(1, moments)
    lift = np.ones(len(there), np.float32)
    if not wall:
        # Steady noise lies 2.5 dB over its geometric mean (exponential distribution); it is not lifted.
        over_db = 10 * np.log10(np.maximum(_smooth(there, hertz), 1e-20)) - 10 / np.log(10) * _smooth(
            geometric, hertz
        )
        music = np.clip((over_db - _STEADY_DB[0]) / (_STEADY_DB[1] - _STEADY_DB[0]), 0, 1) * (hertz >= cut_hz)
        gain_db = np.clip(10 * np.log10((wanted + 1e-20) / (_smooth(there, hertz) + 1e-20)), 0, _LIFT_DB)
        lift = np.asarray(10 ** (_smooth(gain_db * music, hertz) / 20), np.float32)
        lift[hertz < cut_hz] = 1
    return UpperBand(cut_hz, sample_rate, there, wanted, lift)


def _knee(there: Doubles, hertz: Doubles, ends_hz: float) -> float:
    """The lowest frequency from which to that end the spectrum falls by 18 dB an octave and more: music's own falls
    are gentler, see `signal.bandwidth`."""
    steps = np.arange(_LOWEST_HZ, ends_hz, _SMOOTH_HZ)
    levels = 10 * np.log10(np.interp(np.append(steps, ends_hz), hertz, there) + 1e-20)
    octaves = np.log2(np.append(steps, ends_hz))
    for at, step in enumerate(steps.tolist()):
        far = octaves >= min(octaves[at] + 0.5, octaves[-1])
        if np.all(levels[at] - levels[far] >= _STEEPEST_DB * (octaves[far] - octaves[at])):
            return float(step)
    return ends_hz


def made(stream: Iterator[Spectra], band: UpperBand) -> Iterator[Spectra]:
    """Spectra of what is to be added to a stream of them."""
    lines = len(band.there)
    envelope = _Envelope(band.cut_hz, band.sample_rate, band.there)
    first = int(np.flatnonzero(band.missing)[0]) if band.missing.any() else lines
    last = int(np.flatnonzero(band.missing)[-1]) + 1 if band.missing.any() else lines
    line_hz = band.sample_rate / 2 / (lines - 1)
    top = int(band.cut_hz / line_hz)  # the highest that is surely the recording's own
    shift = max(1, top // 2)
    target = np.arange(first, last)
    jumps = -(-(target - top) // shift)  # by how many halves of the band below the cut
    source = target - jumps * shift
    turn = np.exp(2j * np.pi * ((np.arange(OVERLAP)[:, None] * jumps * shift) % OVERLAP) / OVERLAP).astype(
        np.complex64
    )
    amount, lift = np.sqrt(band.missing[first:last]), band.lift - 1
    rng = np.random.default_rng(_SEED)
    at = 0
    for each in stream:
        power = _power(each)
        gain = (
            np.sqrt(
                envelope.power(power)[:, first:last] / np.maximum(envelope.smooth(power)[:, source], 1e-20)
            )
            * amount
        )
        count = each.shape[1]
        noise = rng.standard_normal((count, len(target), 2), np.float32).view(np.complex64)[..., 0]
        copied = each[:, :, source]
        loud = np.sqrt(
            envelope.smooth(np.square(np.abs(each)).reshape(-1, lines)).reshape(each.shape)[:, :, source]
        )
        mixed = np.sqrt(np.float32(1 - _NOISE)) * copied * turn[(at + np.arange(count)) % OVERLAP]
        mixed += np.sqrt(np.float32(_NOISE / 2)) * loud * noise
        at += count
        added = each * lift
        added[:, :, first:last] += mixed * gain
        yield added


class _Envelope:
    """The power of lines above a cut, over a stream of moments."""

    def __init__(self, cut_hz: float, sample_rate: int, there: Doubles) -> None:
        self._cut_hz = cut_hz
        self._thirds = Thirds(cut_hz, sample_rate, len(there))
        self._mean_db = self._thirds.levels_db(there)[:BELOW]
        self._past = Past(BELOW)
        centres = np.sqrt(self._thirds.edges_hz[:-1] * self._thirds.edges_hz[1:])
        octave = np.log2(np.maximum(np.linspace(0, sample_rate / 2, len(there)), 1.0))
        # Straight lines between the middles of thirds, in dB over octaves.
        self._below, self._above = (
            np.stack([np.interp(octave, np.log2(part), row) for row in np.eye(len(part))]).astype(np.float32)
            for part in (centres[:BELOW], centres[BELOW:])
        )

    def smooth(self, power: Floats) -> Floats:
        """The power of moments, (moments, lines), smoothed over thirds, below the cut."""
        return np.asarray(10 ** (self._thirds.levels_db(power)[..., :BELOW] @ self._below / 10), np.float32)

    def power(self, power: Floats) -> Floats:
        """What lines above the cut should have, of that shape; below it, what its lowest third has."""
        heard = self._thirds.levels_db(power)[:, :BELOW]
        rows, reference = inputs(heard, self._past.levels_db(heard), self._mean_db, self._cut_hz)
        return np.asarray(10 ** (above_db(rows, reference) @ self._above / 10), np.float32)


def _power(each: Spectra) -> Floats:
    return np.asarray(np.square(each.real).mean(axis=0) + np.square(each.imag).mean(axis=0), np.float32)


def _hertz(lines: Doubles, sample_rate: int) -> Doubles:
    return np.linspace(0, sample_rate / 2, len(lines))


def _smooth(lines: Doubles, hertz: Doubles) -> Doubles:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(lines, max(1, round(_SMOOTH_HZ / hertz[1]))), np.float64)
