"""A track as a stereo model takes it: at the model's sample rate, two channels at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from resonate_resources.audio import Samples

Group = tuple[int, ...]
"""One channel or two that are separated together."""

_GROUPS: dict[int, tuple[Group, ...]] = {
    3: ((0, 1), (2,)),
    5: ((0, 1), (2,), (3, 4)),
    6: ((0, 1), (2,), (3,), (4, 5)),
}
"""Left and right, centre, low-frequency effects, surrounds, in the order of WAVE_FORMAT_EXTENSIBLE."""


def channel_groups(channels: int) -> tuple[Group, ...]:
    """Which channels are a stereo pair and which stand alone; unknown layouts are pairs, the odd one alone."""
    pairs = tuple(tuple(range(first, min(first + 2, channels))) for first in range(0, channels, 2))
    return _GROUPS.get(channels, pairs)


def as_stereo(samples: Samples, group: Group) -> Samples:
    """(2, frames) of a group's channels; a lone channel stands in both."""
    return samples[[group[0], group[-1]]]


def from_stereo(stereo: Samples, group: Group) -> Samples:
    """(len(group), frames): the inverse of `as_stereo`; a lone channel is the mean of both."""
    return stereo if len(group) == 2 else stereo.mean(0, keepdims=True)


class RateConverter:
    """Converts a stream of (channels, frames) between sample rates (Hz), by soxr at its highest quality."""

    def __init__(self, source_rate: int, target_rate: int, channels: int, target_frames: int) -> None:
        """target_frames: how many frames the whole stream is to have; soxr rounds lengths its own way."""
        import soxr

        self._silence = np.zeros((source_rate // 10 + 1, channels), np.float32)
        self._missing = target_frames
        self._stream = None
        if source_rate != target_rate:
            self._stream = soxr.ResampleStream(source_rate, target_rate, channels, "float32", "VHQ")

    def convert(self, block: Samples) -> Samples:
        """What can be said so far, including this block."""
        if self._stream is None:
            return self._taken(block)
        return self._taken(self._stream.resample_chunk(np.ascontiguousarray(block.T)).T)

    def finish(self) -> Samples:
        """The rest."""
        if self._stream is None:
            return self._taken(self._silence.T)
        return self._taken(self._stream.resample_chunk(self._silence, last=True).T)

    def _taken(self, block: Samples) -> Samples:
        taken = block[:, : self._missing]
        self._missing -= taken.shape[1]
        return taken


def at_rate(
    blocks: Iterable[Samples], source_rate: int, target_rate: int, channels: int, target_frames: int
) -> Iterator[Samples]:
    """A stream at another rate, of exactly target_frames frames."""
    converter = RateConverter(source_rate, target_rate, channels, target_frames)
    for block in blocks:
        yield converter.convert(block)
    yield converter.finish()


def stems_at_rate(
    blocks: Iterable[dict[str, Samples]],
    names: tuple[str, ...],
    source_rate: int,
    target_rate: int,
    channels: int,
    target_frames: int,
) -> Iterator[dict[str, Samples]]:
    """The same of several stems side by side."""
    converters = {name: RateConverter(source_rate, target_rate, channels, target_frames) for name in names}
    for block in blocks:
        yield {name: converter.convert(block[name]) for name, converter in converters.items()}
    yield {name: converter.finish() for name, converter in converters.items()}
