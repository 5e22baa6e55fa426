"""A track as a stereo model takes it: at the model's sample rate, two channels at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.resampling import RateConverter

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


def stems_at_rate(
    blocks: Iterable[dict[str, Samples]],
    names: tuple[str, ...],
    source_rate: int,
    target_rate: int,
    channels: int,
    target_frames: int,
) -> Iterator[dict[str, Samples]]:
    """Blocks of stems side by side at another rate, each of exactly target_frames frames."""
    converters = {name: RateConverter(source_rate, target_rate, channels, target_frames) for name in names}
    for block in blocks:
        yield {name: converter.convert(block[name]) for name, converter in converters.items()}
    yield {name: converter.finish() for name, converter in converters.items()}
