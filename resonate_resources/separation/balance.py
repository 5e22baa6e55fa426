"""Measures of a separation that need no truth: do the stems sum to the mix, and what share has each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Stems


@dataclass(frozen=True)
class Balance:
    """level_dbfs: stem → RMS re full scale, -inf for silence. null_depth_db: energy of mix − Σ stems over
    that of the mix; -inf when it is exactly zero."""

    level_dbfs: dict[str, float]
    null_depth_db: float


def measure_balance(track: Recording, stems: Stems) -> Balance:
    """Read the track and its stems (same frames and channels) once, in blocks."""
    energy = dict.fromkeys(stems, 0.0)
    mix_energy = rest_energy = 0.0
    readers = {name: stem.blocks(BLOCK_FRAMES) for name, stem in stems.items()}
    for mix in track.blocks(BLOCK_FRAMES):
        rest = mix.copy()
        for name, blocks in readers.items():
            block = next(blocks)
            energy[name] += float(np.vdot(block, block))
            rest -= block
        mix_energy += float(np.vdot(mix, mix))
        rest_energy += float(np.vdot(rest, rest))
    values = max(1, track.frames * track.channels)
    return Balance(
        {name: _db(value / values) for name, value in energy.items()},
        _db(rest_energy / mix_energy) if mix_energy else -math.inf,
    )


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
