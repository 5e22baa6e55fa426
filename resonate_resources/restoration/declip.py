"""Declipping: peaks that a converter cut off come back, above full scale where they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.parallel import in_parallel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.clip_levels import ClipLevels, find_clip_levels
from resonate_resources.restoration.consistent_sparse import raise_clipped
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

_FRAME_S = 4096 / 44_100
_SMALLEST = 512
_MOST = 160  # unknowns of one frame: the cost goes with their cube, and halves of a frame have half as many
_BLOCK = 1 << 16
_FEWEST = 3  # flat tops

Floats = npt.NDArray[np.float64]


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
        rise = 10 ** (BOUNDS[preset].highest_db / 20) - 1

        def mended(start: int) -> tuple[Samples, int, float]:
            return _mend_block(recording, start, levels, rise)

        clipped, peak, written = 0, 0.0, 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, count, highest in in_parallel(mended, range(0, recording.frames, _BLOCK)):
                writer.write(block)
                clipped, peak = clipped + count, max(peak, highest)
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
    recording: Recording, start: int, levels: ClipLevels, rise: float
) -> tuple[Samples, int, float]:
    """Frames from start on, mended; how many of their samples were clipped, and the highest level then."""
    size = max(_SMALLEST, 1 << round(np.log2(_FRAME_S * recording.sample_rate)))
    stop, margin = min(start + _BLOCK, recording.frames), size // 4
    read = recording.read(start - margin, stop + margin)
    before = margin - min(margin, start)
    # To whole frames: beyond the recording there is silence.
    behind = (
        margin + (stop - start + size // 2 - 1) // (size // 2) * (size // 2) + margin - before - read.shape[1]
    )
    clipped = np.pad(levels.masked(read, max(0, start - margin)), ((0, 0), (before, behind)))
    padded = np.pad(read, ((0, 0), (before, behind))).astype(np.float64)
    mended = padded.copy()
    for channel, where in enumerate(clipped):
        for at in range(0, padded.shape[1] - 2 * margin, size // 2):
            _mend_frame(padded[channel], where, at, size, rise, mended[channel])
    inner = np.s_[:, margin : margin + stop - start]
    block = np.where(clipped[inner], mended[inner], padded[inner]).astype(np.float32)
    return block, int(clipped[inner].sum()), float(np.abs(block).max(initial=0.0))


def _mend_frame(
    wave: Floats, clipped: npt.NDArray[np.bool_], start: int, size: int, rise: float, mended: Floats
) -> None:
    """The middle half of the frame at `start`, into `mended`; in halves where too much of it is clipped."""
    middle = slice(start + size // 4, start + 3 * size // 4)
    if not clipped[middle].any():
        return
    at = np.flatnonzero(clipped[start : start + size])
    if len(at) > _MOST and size > _SMALLEST:
        for half in (start + size // 8, start + 3 * size // 8):
            _mend_frame(wave, clipped, half, size // 2, rise, mended)
        return
    frame = wave[start : start + size]
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size)
    level = float(np.abs(frame[at]).max())
    risen = np.zeros(size)
    risen[at] = np.sign(frame[at]) * raise_clipped(frame, at, window, rise * level)
    mended[middle] = (frame + risen)[size // 4 : 3 * size // 4]
