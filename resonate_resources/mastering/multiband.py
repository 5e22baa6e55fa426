"""Compression in three bands, each against its own level: what is loud in one doesn't move the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.blocks import within
from resonate_resources.signal.compression import Compression, LinkedCompressor
from resonate_resources.signal.crossover import split
from resonate_resources.signal.linear_phase import SECONDS, is_loop, looped

EDGES_HZ = (160.0, 2500.0)

HEARD_DB, UNHEARD_DB = 40.0, 60.0
"""So far under the strongest band, one is compressed in full, and not at all: what is so faint may be rounding, or
the hiss of a room, whose peaks tell nothing of the music."""

_STEP_S, _STEPS, _GATE_DB = 0.1, 4, 10.0
"""Levels are gated as programme loudness is (ITU-R BS.1770-5): of blocks of 400 ms, those count that are no more than
10 dB under the mean of all."""


@dataclass(frozen=True)
class Bands:
    """Settings for each band, the lowest first, which all look ahead alike; thresholds in dB over the band's own level,
    as BandLevels tells it. most_db: what the gain of a band falls by at most."""

    each: tuple[Compression, Compression, Compression]
    most_db: float


class BandLevels:
    """Mean square of the loudest channel of each band, given block by block; pauses are gated out."""

    def __init__(self, sample_rate: int) -> None:
        self._step = round(_STEP_S * sample_rate)
        self._pending = np.zeros((len(EDGES_HZ) + 1, 0))
        self._powers: list[npt.NDArray[np.float64]] = []

    def update(self, bands: Samples) -> None:
        """Take the next (bands, channels, frames)."""
        squares = np.square(np.abs(bands).max(axis=1).astype(np.float64))
        squares = np.concatenate([self._pending, squares], axis=1)
        whole = squares.shape[1] // self._step * self._step
        self._powers.append(squares[:, :whole].reshape(len(squares), -1, self._step).mean(axis=2))
        self._pending = squares[:, whole:]

    def levels_db(self) -> list[float]:
        """Of each band so far, in dBFS of its root mean square; -inf for silence. What is shorter than a block of the
        gate counts as one."""
        powers = np.concatenate(self._powers, axis=1)
        if powers.shape[1] < _STEPS:
            rest = self._pending.sum(axis=1) + powers.sum(axis=1) * self._step
            frames = self._pending.shape[1] + powers.shape[1] * self._step
            return [_decibels(power) for power in (rest / max(1, frames)).tolist()]
        blocks = np.lib.stride_tricks.sliding_window_view(powers, _STEPS, axis=1).mean(axis=2)
        return [_decibels(float(of[of >= of.mean() * 10 ** (-_GATE_DB / 10)].mean())) for of in blocks]


class Multiband:
    """A recording compressed by a part, 0 to 1, of what settings say, with one gain a band for all channels.

    Where no band is over its threshold samples pass as they are. `most_reduction_db`: what the gain of any band fell by
    at most in what `blocks` has given so far.
    """

    def __init__(self, source: Recording, settings: Bands, part: float) -> None:
        self._source = source
        self._around = self._frames_around(settings)
        levels = BandLevels(source.sample_rate)
        for _, bands in self._split():
            levels.update(bands)
        self._compressors = _compressors(levels.levels_db(), settings, part, source.sample_rate)

    @property
    def most_reduction_db(self) -> float:
        return max((-_decibels(each.least_gain**2) for each in self._compressors.values()), default=0.0)

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
            yield _sum(held[..., :known], made)
            held = held[..., known:]
        if held is not None:
            yield _sum(held, {band: each.flush() for band, each in compressors.items()})

    def _split(self) -> Iterator[tuple[Samples, Samples]]:
        return split(looped(self._source, self._around), EDGES_HZ, self._source.sample_rate)

    def _frames_around(self, settings: Bands) -> int:
        """Frames of a loop that filters and compressors hear before it and behind it, so that none of them starts from
        rest."""
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


def _sum(held: Samples, made: dict[int, Samples]) -> Samples:
    """held: whole and bands, as they were; made: bands as they are now. The whole, with what was moved."""
    total = held[0]
    for band, samples in made.items():
        total = total + (samples - held[1 + band])
    return total


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
