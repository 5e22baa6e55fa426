"""Declipping: peaks that a converter cut off come back, above full scale where they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.parallel import in_parallel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.clip_levels import ClipLevels, find_clip_levels
from resonate_resources.restoration.sparse_frames import BLOCK, context_frames, remade
from resonate_resources.restoration.step import Facts, Mended, StepName


@dataclass(frozen=True)
class _Bounds:
    """fewest_per_min: flat tops, below which nothing is mended. highest_db: over the clipping level, at most."""

    fewest_per_min: float
    highest_db: float


BOUNDS: Mapping[Preset, _Bounds] = {
    "conservative": _Bounds(60.0, 6.0),
    "balanced": _Bounds(12.0, 12.0),
    "aggressive": _Bounds(4.0, 12.0),
}
"""Drums clipped at 3 % of all samples lay up to 12.8 dB over the level (composed songs)."""

_FEWEST = 3  # flat tops


class Declip:
    """Samples that were cut flat, raised to where the spectrum is sparsest; no other sample changes."""

    name: StepName = "declip"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "consistent sparse declipping")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """See `Step`. Peaks may pass full scale: files are of 32-bit float."""
        levels = find_clip_levels(recording)
        per_min = 60 * levels.tops / max(recording.duration, 1e-9)
        measures = {"flat_tops_per_min": per_min}
        if levels.tops < _FEWEST or per_min < BOUNDS[preset].fewest_per_min:
            return Mended(recording, f"{levels.tops} flat tops: not clipped", measures)
        highest = 10 ** (BOUNDS[preset].highest_db / 20)

        def mended(start: int) -> tuple[Samples, int, float]:
            return _mend_block(recording, start, levels, highest)

        clipped, peak, written = 0, 0.0, 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, count, level in in_parallel(mended, range(0, recording.frames, BLOCK)):
                writer.write(block)
                clipped, peak = clipped + count, max(peak, level)
                written += block.shape[1]
                progress(written / recording.frames)
        measures |= {
            "clipped_percent": 100 * clipped / (recording.frames * recording.channels),
            "peak_dbfs": float(20 * np.log10(peak)),
        }
        return Mended(
            writer.recording,
            f"{measures['clipped_percent']:.2g} % of the samples were cut flat; "
            f"peaks now reach {measures['peak_dbfs']:+.1f} dBFS",
            measures,
        )


def _mend_block(
    recording: Recording, start: int, levels: ClipLevels, highest: float
) -> tuple[Samples, int, float]:
    """Frames from start on, mended; how many of their samples were clipped, and the highest level then."""
    context = context_frames(recording.sample_rate)
    stop = min(start + BLOCK, recording.frames)
    read = recording.read(start - context, stop + context)
    outside = ((0, 0), (max(0, context - start), max(0, stop + context - recording.frames)))
    clipped = np.pad(levels.masked(read, max(0, start - context)), outside)
    block = remade(np.pad(read, outside), clipped, recording.sample_rate, highest)
    inner = np.s_[:, context : context + stop - start]
    return block[inner], int(clipped[inner].sum()), float(np.abs(block[inner]).max(initial=0.0))
