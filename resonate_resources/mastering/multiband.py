"""Compression in three bands, each against its own level: what is loud in one doesn't move the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.blocks import within
from resonate_resources.signal.compression import Compression, LinkedCompressor
from resonate_resources.signal.crossover import low_pass, passed, split
from resonate_resources.signal.linear_phase import SECONDS, Taps, is_loop, looped

EDGES_HZ = (160.0, 2500.0)

HEARD_DB, UNHEARD_DB = 40.0, 60.0
"""So far under the strongest band, one is compressed in full, and not at all: what is so faint may be rounding, or
the hiss of a room, whose peaks tell nothing of the music."""

_WINDOW_S = 0.09  # in which levels are measured


@dataclass(frozen=True)
class Bands:
    """Settings for each band, the lowest first, which all look ahead alike; thresholds in dB over the band's own
    level, as BandLevels tells it. most_db: what the gain of a band falls by at most."""

    each: tuple[Compression, Compression, Compression]
    most_db: float


class BandLevels:
    """Levels of bands where their sound is, of audio given block by block: half of a band's energy is in windows of
    90 ms that are louder, half in such that are less loud. Pauses and single clicks count for next to nothing."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._window = np.hanning(round(_WINDOW_S * sample_rate)).astype(np.float32)
        hertz = np.asarray(np.fft.rfftfreq(self._window.size, 1 / sample_rate), np.float64)
        under = [0 * hertz, *(passed(hertz, edge) for edge in EDGES_HZ), 0 * hertz + 1]
        gains = np.stack([np.square(upper - lower) for lower, upper in pairwise(under)], axis=1)
        self._gains = (2 * gains / (self._window.size * np.square(self._window).sum())).astype(np.float32)
        self._pending = np.zeros((channels, 0), np.float32)
        self._powers = [np.zeros((0, len(EDGES_HZ) + 1))]

    def update(self, block: Samples) -> None:
        """Take the next (channels, frames)."""
        samples = np.concatenate([self._pending, block], axis=1)
        whole = samples.shape[1] // self._window.size * self._window.size
        self._powers.append(self._of(samples[:, :whole]))
        self._pending = samples[:, whole:]

    def levels_db(self) -> list[float]:
        """Of each band so far, of its loudest channel, in dBFS of a root mean square; -inf for silence. What does
        not fill a window counts only where there is none."""
        powers = np.concatenate(self._powers)
        if not len(powers):
            missing = self._window.size - self._pending.shape[1]
            powers = self._of(np.pad(self._pending, ((0, 0), (0, missing))))
        ascending = np.sort(powers, axis=0).T
        sums = np.cumsum(ascending, axis=1)
        return [
            _decibels(float(np.interp(energy[-1] / 2, energy, power)))
            for energy, power in zip(sums, ascending, strict=True)
        ]

    def _of(self, samples: Samples) -> npt.NDArray[np.float64]:
        """(windows, bands): mean squares."""
        from scipy.fft import rfft

        spectra = rfft(samples.reshape(len(samples), -1, self._window.size) * self._window)
        powers = (spectra.real**2 + spectra.imag**2) @ self._gains
        return np.asarray(powers.max(axis=0), np.float64)


class Multiband:
    """A recording compressed by a part, 0 to 1, of what settings say, with one gain a band for all channels.

    Where no band is over its threshold samples pass as they are. `most_reduction_db`, and `make_up` for what bands
    lose: of what `blocks` has given so far.
    """

    def __init__(self, source: Recording, settings: Bands, part: float) -> None:
        self._source = source
        self._around = self._frames_around(settings)
        levels = BandLevels(source.sample_rate, source.channels)
        for block in source.blocks():
            levels.update(block)
        self._compressors = _compressors(levels.levels_db(), settings, part, source.sample_rate)
        self._energies = np.zeros((2, len(settings.each)))  # of each band, before and after

    @property
    def most_reduction_db(self) -> float:
        """What the gain of any band fell by at most."""
        return max((-_decibels(each.least_gain**2) for each in self._compressors.values()), default=0.0)

    @property
    def make_up(self) -> Taps | None:
        """A filter of linear phase that gives every band back what energy it had; None where none has lost any."""
        before, after = self._energies
        gains = np.sqrt(np.divide(before, after, out=np.ones_like(before), where=after > 0))
        if np.all(gains == 1):
            return None
        under = [low_pass(edge, self._source.sample_rate) for edge in EDGES_HZ]
        whole = np.zeros_like(under[0])
        whole[len(whole) // 2] = 1.0
        bands = [upper - lower for lower, upper in pairwise([0 * whole, *under, whole])]
        return np.asarray(gains @ np.stack(bands), np.float64)

    def blocks(self) -> Iterator[Samples]:
        """(channels, frames), of the source's length, without latency. To be called once."""
        return within(self._compressed(), self._around, self._around + self._source.frames)

    def _compressed(self) -> Iterator[Samples]:
        compressors = self._compressors
        if not compressors:
            yield from looped(self._source, self._around)
            return
        held: Samples | None = None  # not yet returned: whole and bands
        for whole, bands in self._split():
            new = np.concatenate([whole[None], bands])
            held = new if held is None else np.concatenate([held, new], axis=2)
            made = {band: each.process(bands[band]) for band, each in compressors.items()}
            known = next(iter(made.values())).shape[1]
            yield self._sum(held[..., :known], made)
            held = held[..., known:]
        if held is not None:
            yield self._sum(held, {band: each.flush() for band, each in compressors.items()})

    def _sum(self, held: Samples, made: dict[int, Samples]) -> Samples:
        """held: whole and bands, as they were; made: bands as they are now. The whole, with what was moved."""
        total: Samples = held[0]
        for band, samples in made.items():
            before = held[1 + band]
            self._energies[:, band] += [_energy(before), _energy(samples)]
            total = total + (samples - before)
        return total

    def _split(self) -> Iterator[tuple[Samples, Samples]]:
        return split(looped(self._source, self._around), EDGES_HZ, self._source.sample_rate)

    def _frames_around(self, settings: Bands) -> int:
        """Frames of a loop that filters and compressors hear before it and behind it, so that none of them starts
        from rest."""
        if not is_loop(self._source):
            return 0
        longest_ms = max(each.release_ms + each.look_ahead_ms for each in settings.each)
        frames = round((SECONDS / 2 + longest_ms / 1000) * self._source.sample_rate)
        return min(frames, self._source.frames)


def _compressors(
    levels_db: list[float], settings: Bands, part: float, sample_rate: int
) -> dict[int, LinkedCompressor]:
    """By band, of those that are heard."""
    made = {}
    for band, (level_db, each) in enumerate(zip(levels_db, settings.each, strict=True)):
        under_db = max(levels_db) - level_db if math.isfinite(level_db) else math.inf
        mine = part * float(np.interp(under_db, (HEARD_DB, UNHEARD_DB), (1.0, 0.0)))
        if mine > 0:
            over_its_level = replace(each, threshold_db=level_db + each.threshold_db)
            made[band] = LinkedCompressor(over_its_level, sample_rate, mine, settings.most_db)
    return made


def _energy(samples: Samples) -> float:
    return float(np.square(samples).sum(dtype=np.float64))


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
