"""Declicking: clicks, crackle and digital glitches cut out, and the music between their edges made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.parallel import in_parallel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.sparse_frames import BLOCK, context_frames, remade
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.clicks import clicks_between, clicks_per_second


@dataclass(frozen=True)
class _Bounds:
    """fewest_per_s: sure clicks, below which nothing is mended. height: of what is taken for a click, see `Clicks`."""

    fewest_per_s: float
    height: float


BOUNDS: Mapping[Preset, _Bounds] = {
    "conservative": _Bounds(0.5, 10.0),
    "balanced": _Bounds(0.15, 8.0),
    "aggressive": _Bounds(0.1, 6.5),
}
_BESIDE = 2  # samples: a click begins before it stands out


class Declick:
    """Only the samples of clicks change."""

    name: StepName = "declick"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "autoregressive detection, sparse interpolation")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """See `Step`."""
        rate = facts.clicks_per_s
        rate = clicks_per_second(recording) if rate is None else rate
        measures = {"sure_clicks_per_s": rate}
        if rate < BOUNDS[preset].fewest_per_s:
            return Mended(recording, f"{rate:.2g} clicks a second: none, or too few to be sure of", measures)
        clicks, written = 0, 0

        def mended(start: int) -> tuple[Samples, int]:
            return _mend_block(recording, start, BOUNDS[preset].height)

        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, count in in_parallel(mended, range(0, recording.frames, BLOCK)):
                writer.write(block)
                clicks, written = clicks + count, written + block.shape[1]
                progress(written / recording.frames)
        measures["clicks_per_s"] = clicks / recording.duration
        note = f"{measures['clicks_per_s']:.2g} clicks a second were cut out"
        return Mended(writer.recording, note, measures)


def _mend_block(recording: Recording, start: int, height: float) -> tuple[Samples, int]:
    """Frames from start on, mended; how many clicks of all channels begin in them."""
    context = context_frames(recording.sample_rate)
    stop = min(start + BLOCK, recording.frames)
    read = recording.read(start - context, stop + context)
    first, outside = max(0, start - context), max(0, context - start)
    around = (max(0, start - 2 * context), min(stop + 2 * context, recording.frames))
    marked, count = np.zeros(read.shape, bool), 0
    for where, clicks in zip(marked, clicks_between(recording, *around), strict=True):
        for begin, end in clicks.spans[clicks.heights > height]:
            where[max(0, begin - _BESIDE - first) : max(0, end + _BESIDE - first)] = True
            count += start <= begin < stop
    padding = ((0, 0), (outside, max(0, stop + context - recording.frames)))
    block = remade(np.pad(read, padding), np.pad(marked, padding), recording.sample_rate)
    return block[:, context : context + stop - start], int(count)
