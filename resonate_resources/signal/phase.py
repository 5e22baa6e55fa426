"""How channels, and two versions of a track, lie in phase: what is lost when they are added."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import ahead
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.resampling import at_rate

LOW_HZ = 250
"""What lies under it is the low end."""

_PAIR = 2


@dataclass(frozen=True)
class Phase:
    """Of a recording beside its original, each with the first two channels of its own.

    correlation: of left and right, −1 to 1: 1 of mono, 0 of channels that have nothing in common, or of which one
    is silent. fold_down_db: level of their mean against that of the channels: 0 of mono, −3 dB of what has nothing
    in common. low_end_correlation: of the two under LOW_HZ, all channels together; 1 where both are silent.
    low_end_db: the original's level under LOW_HZ against all of it; −120 where there is none.
    """

    correlation: float
    track_correlation: float
    fold_down_db: float
    track_fold_down_db: float
    low_end_correlation: float
    low_end_db: float


def phase_beside(recording: Recording, original: Recording) -> Phase:
    """Listen once to both, which may differ in level and rate. Where they differ in channels, both ends are folded
    down to one for the low end."""
    images = _Pair(), _Pair()
    same = recording.channels == original.channels
    lows = [
        ahead(_low(_heard(each, image), each, 2 * LOW_HZ, fold=not same))
        for each, image in zip((recording, original), images, strict=True)
    ]
    products = np.zeros(3)
    for one, two in _in_step(*lows):
        products += [float(np.vdot(one, two)), float(np.vdot(one, one)), float(np.vdot(two, two))]
    now, before = images
    lows, whole = products[2] / (2 * LOW_HZ), before.power / original.sample_rate
    if not same:
        whole /= original.channels
    return Phase(
        now.correlation,
        before.correlation,
        now.fold_down_db,
        before.fold_down_db,
        _correlation(*products),
        10 * math.log10(max(lows / whole, 1e-12)) if whole else -120.0,
    )


def low_correlation(blocks: Iterable[Samples], like: Recording, below_hz: int) -> float:
    """Correlation of left and right under below_hz, of blocks of audio that has the shape of `like`."""
    pair = _Pair()
    for low in _low(blocks, like, 2 * below_hz, fold=False):
        pair.update(low)
    return pair.correlation


class _Pair:
    """Sums of squares and products of the first two channels, and of squares of all."""

    def __init__(self) -> None:
        self.power = 0.0
        self._left = self._right = self._both = 0.0

    def update(self, block: Samples) -> None:
        self.power += float(np.vdot(block, block))
        left, right = block[0], block[min(1, len(block) - 1)]
        self._left += float(np.vdot(left, left))
        self._right += float(np.vdot(right, right))
        self._both += float(np.vdot(left, right))

    @property
    def correlation(self) -> float:
        return _correlation(self._both, self._left, self._right)

    @property
    def fold_down_db(self) -> float:
        channels = self._left + self._right
        together = (channels + 2 * self._both) / 2
        if channels <= 0:
            return 0.0
        return 10 * math.log10(max(together, 1e-12 * channels) / channels)


def _correlation(both: float, one: float, two: float) -> float:
    """1 of silence and silence: nothing is lost there."""
    if one == two == 0:
        return 1.0
    return both / math.sqrt(one * two) if one > 0 and two > 0 else 0.0


def _heard(recording: Recording, pair: _Pair) -> Iterator[Samples]:
    for block in recording.blocks():
        pair.update(block)
        yield block


def _low(blocks: Iterable[Samples], like: Recording, rate: int, fold: bool) -> Iterator[Samples]:
    """What lies under half of that rate, in Hz, at that rate."""
    frames = round(like.frames * rate / like.sample_rate)
    channels = 1 if fold else like.channels
    folded = (block.mean(axis=0, keepdims=True) for block in blocks) if fold else blocks
    return at_rate(folded, like.sample_rate, rate, channels, frames)


def _in_step(one: Iterator[Samples], two: Iterator[Samples]) -> Iterator[tuple[Samples, Samples]]:
    """Parts of equal length, of streams whose blocks differ; as long as both go on."""
    held: list[npt.NDArray[np.float32] | None] = [None, None]
    streams = one, two
    while True:
        for number, stream in enumerate(streams):
            waiting = held[number]
            while waiting is None or not waiting.shape[1]:
                waiting = next(stream, None)
                if waiting is None:
                    for _ in streams[1 - number]:  # to its end: whoever listens on the way hears it all
                        pass
                    return
            held[number] = waiting
        first, second = held
        assert first is not None and second is not None
        frames = min(first.shape[1], second.shape[1])
        yield first[:, :frames], second[:, :frames]
        held = [first[:, frames:], second[:, frames:]]
