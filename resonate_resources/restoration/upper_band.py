"""What a cut took from the highs of a recording, made again: copied up from below it, as loud as music is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.short_time import OVERLAP, Spectra, spectra, window_frames
from resonate_resources.restoration.upper_envelope import BELOW, SECONDS, Past, Thirds, above_db, inputs

Floats = npt.NDArray[np.float32]

_HIGHEST_HZ = 20_000.0  # nobody hears what is over it
_NOISE = 0.5  # of the power; the rest keeps the pitch and the phase of what it is copied from
_SEED = 1
_SMOOTH_HZ = 150.0
_INAUDIBLE_DBFS = -100.0  # of a line, against a full-scale sine


@dataclass(frozen=True)
class UpperBand:
    """What is to lie above cut_hz.

    there: mean power of each line of the recording as it is. wanted: of the same as it should be, by `upper_envelope`;
    both of spectra as `short_time` has them, channels by their mean.
    """

    cut_hz: float
    sample_rate: int
    there: npt.NDArray[np.float64]
    wanted: npt.NDArray[np.float64]

    @cached_property
    def missing(self) -> Floats:
        """Of the wanted power at each line, the part that is not there: 0 below the cut."""
        from scipy.ndimage import uniform_filter1d

        hertz = np.linspace(0, self.sample_rate / 2, len(self.there))
        width = max(1, round(_SMOOTH_HZ / hertz[1]))
        part = np.clip(1 - uniform_filter1d(self.there, width) / np.maximum(self.wanted, 1e-30), 0, 1)
        return np.where((hertz >= self.cut_hz) & (hertz <= _HIGHEST_HZ), part, 0).astype(np.float32)

    @property
    def lacking_db(self) -> float:
        """How far what is there lies under what is wanted, from a sixth of an octave over the cut to 16 kHz."""
        hertz = np.linspace(0, self.sample_rate / 2, len(self.there))
        above = (hertz > self.cut_hz * 2 ** (1 / 6)) & (hertz < min(16_000.0, 0.9 * self.sample_rate / 2))
        if not above.any():
            above = hertz > self.cut_hz
        floor = 10 ** (_INAUDIBLE_DBFS / 10) * (2 * (len(hertz) - 1) / np.pi) ** 2
        ratio = (self.wanted[above] + floor) / (self.there[above] + floor)
        return float(np.mean(10 * np.log10(ratio)))


def look(blocks: Callable[[], Iterator[Samples]], cut_hz: float, sample_rate: int) -> UpperBand:
    """Two passes over a recording, each through `blocks`."""
    size = window_frames(sample_rate, SECONDS)
    there, wanted, moments = np.zeros(size // 2 + 1), np.zeros(size // 2 + 1), 0
    for each in spectra(blocks(), size):
        there += _power(each).sum(axis=0, dtype=np.float64)
        moments += each.shape[1]
    there /= max(1, moments)
    envelope = _Envelope(cut_hz, sample_rate, there)
    for each in spectra(blocks(), size):
        wanted += envelope.power(_power(each)).sum(axis=0, dtype=np.float64)
    return UpperBand(cut_hz, sample_rate, there, wanted / max(1, moments))


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
    turn = np.exp(2j * np.pi * ((np.arange(OVERLAP)[:, None] * jumps * shift) % OVERLAP) / OVERLAP).astype(np.complex64)
    amount = np.sqrt(band.missing[first:last])
    rng = np.random.default_rng(_SEED)
    at = 0
    for each in stream:
        power = _power(each)
        gain = np.sqrt(envelope.power(power)[:, first:last] / np.maximum(envelope.smooth(power)[:, source], 1e-20)) * amount
        count = each.shape[1]
        noise = rng.standard_normal((count, len(target), 2), np.float32).view(np.complex64)[..., 0]
        copied = each[:, :, source]
        loud = np.sqrt(envelope.smooth(np.square(np.abs(each)).reshape(-1, lines)).reshape(each.shape)[:, :, source])
        mixed = np.sqrt(np.float32(1 - _NOISE)) * copied * turn[(at + np.arange(count)) % OVERLAP]
        mixed += np.sqrt(np.float32(_NOISE / 2)) * loud * noise
        at += count
        added = np.zeros_like(each)
        added[:, :, first:last] = mixed * gain
        yield added


class _Envelope:
    """The power of lines above a cut, over a stream of moments."""

    def __init__(self, cut_hz: float, sample_rate: int, there: npt.NDArray[np.float64]) -> None:
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
