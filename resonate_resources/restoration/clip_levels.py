"""Where a recording is clipped, and at what level: by channel, sign and cell of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples

CELL = 4096  # frames: gains move between them, as faders do, and levels are known from a few tops each
_SAME = 3.2 / 32_768  # tops of one level, dithered to 16 bits (TPDF: 1.5 steps to either side)
_FEWEST = 3  # samples in a row make a top
_CORNER = 16 / 32_768  # the round top of a low tone falls off by less beside what looks flat
_QUIETEST = 0.02  # a top at −34 dBFS is a few steps of 16 bits high
_JUMP = (
    0.5  # of its level: what falls off so far from one sample to the next, on both sides, is a square wave
)
_MOST = 0.35  # of a cell's samples: a waveform that was made flat, or one of which nothing is left
_REACH = 32  # cells (3 s) over which a level holds for tops too short to tell it


@dataclass(frozen=True)
class ClipLevels:
    """levels: (channels, 2, cells) of the upper and lower side, in full scale from 0 up; infinite where nothing is
    clipped. tops: that prove it, three samples and more long."""

    levels: npt.NDArray[np.float32]
    tops: int

    def masked(self, samples: Samples, start: int) -> npt.NDArray[np.bool_]:
        """Which of (channels, frames), which begin at frame `start` of the recording, are clipped."""
        cells = (start + np.arange(samples.shape[1])) // CELL
        cells = cells.clip(0, self.levels.shape[2] - 1)
        return np.asarray((samples >= self.levels[:, 0, cells]) | (-samples >= self.levels[:, 1, cells]))


def find_clip_levels(recording: Recording) -> ClipLevels:
    """A cell is clipped at its highest level where three samples and more stay there and leave it with a corner;
    where it only touches that level, if a cell within 3 s stays at it. Memory: 16 bytes a cell and channel."""
    peaks, proofs, shares = [], [], []
    for block in recording.blocks(CELL * 64):
        for cell in _cells(block):
            side = np.stack([cell, -cell], axis=1)
            peak = side.max(axis=2)
            near = side >= (peak - np.float32(_SAME))[..., None]
            peaks.append(peak)
            shares.append(near.mean(axis=2, dtype=np.float32))
            proofs.append(_tops(side, near, peak))
    if not peaks:
        return ClipLevels(np.zeros((recording.channels, 2, 0), np.float32), 0)
    peak, proof, share = (np.moveaxis(np.array(each), 0, 2) for each in (peaks, proofs, shares))
    proof[(share > _MOST) | (peak < _QUIETEST)] = 0
    held = _held_nearby(peak, proof > 0)
    clipped = (np.abs(peak - held) <= _SAME) & (share <= _MOST)
    levels = np.where(clipped, peak - np.float32(_SAME), np.float32(np.inf))
    return ClipLevels(levels.astype(np.float32), int(proof.sum()))


def _cells(block: Samples) -> list[Samples]:
    return [block[:, start : start + CELL] for start in range(0, block.shape[1], CELL)]


def _tops(side: Samples, near: npt.NDArray[np.bool_], peak: Samples) -> npt.NDArray[np.int32]:
    """(channels, 2): how many flat tops lie at the peak; those that a cell's ends cut are not seen."""
    counts = np.zeros(peak.shape, np.int32)
    triples = near[..., :-2] & near[..., 1:-1] & near[..., 2:]
    for channel, sign in np.argwhere(triples.any(axis=2)):
        wave, edges = side[channel, sign], np.diff(np.pad(near[channel, sign], 1).astype(np.int8))
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        whole = (ends - starts >= _FEWEST) & (starts > 0) & (ends < len(wave))
        top = peak[channel, sign]
        falls = np.stack([top - wave[starts[whole] - 1], top - wave[ends[whole]]])
        counts[channel, sign] = np.sum((falls.max(axis=0) > _CORNER) & (falls.min(axis=0) < _JUMP * top))
    return counts


def _held_nearby(peak: Samples, proven: npt.NDArray[np.bool_]) -> Samples:
    """Of the proven cells within reach, the level that comes nearest to each cell's peak."""
    held = np.where(proven, peak, np.float32(np.inf))
    best = held.copy()
    for away in range(1, min(_REACH, held.shape[2] - 1) + 1):
        for target, source in (
            (np.s_[..., away:], np.s_[..., :-away]),
            (np.s_[..., :-away], np.s_[..., away:]),
        ):
            nearer = np.abs(held[source] - peak[target]) < np.abs(best[target] - peak[target])
            best[target] = np.where(nearer, held[source], best[target])
    return best
