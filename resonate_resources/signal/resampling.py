"""Sample rates: streams of blocks from one to another, by soxr at its highest quality, of an exact length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from resonate_resources.recordings.recording import Samples


class RateConverter:
    """Converts a stream of (channels, frames) between sample rates in Hz."""

    def __init__(self, source_rate: int, target_rate: int, channels: int, target_frames: int) -> None:
        """target_frames: how many frames the whole stream is to have; soxr rounds lengths its own way."""
        import soxr

        # What soxr still holds comes out ahead of a little silence.
        self._silence = np.zeros((source_rate // 10 + 1, channels), np.float32)
        self._missing = target_frames
        self._stream = None
        if source_rate != target_rate:
            self._stream = soxr.ResampleStream(source_rate, target_rate, channels, "float32", "VHQ")

    def convert(self, block: Samples) -> Samples:
        """What can be said so far, including this block; it may be nothing."""
        if self._stream is None:
            return self._taken(block)
        return self._taken(self._stream.resample_chunk(np.ascontiguousarray(block.T)).T)

    def finish(self) -> Samples:
        """The rest; silence where the source was too short."""
        if self._stream is None:
            rest = self._silence[:0].T
        else:
            rest = self._taken(self._stream.resample_chunk(self._silence, last=True).T)
        return np.pad(rest, ((0, 0), (0, self._missing)))

    def _taken(self, block: Samples) -> Samples:
        taken = block[:, : self._missing]
        self._missing -= taken.shape[1]
        return taken


def at_rate(
    blocks: Iterable[Samples], source_rate: int, target_rate: int, channels: int, target_frames: int
) -> Iterator[Samples]:
    """A stream at another rate, of exactly target_frames frames: cut, or filled up with silence."""
    converter = RateConverter(source_rate, target_rate, channels, target_frames)
    for block in blocks:
        yield converter.convert(block)
    yield converter.finish()
