"""A low-pass that opens or closes over a part from one beat to another."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from resonate_resources.recordings.recording import Samples

_CLOSED_HZ, _OPEN_HZ = 250.0, 18_000.0
_STEP: Final = 64  # frames for which the edge stands still: it moves by under 1 % in a sweep of a second
_CROSSFADE_S: Final = 0.008
_RESONANCE: Final = 0.9


@dataclass(frozen=True)
class Sweep:
    """From begins_s to ends_s; outside it the part is as it was, but for behind one that holds."""

    begins_s: float
    ends_s: float
    opens: bool
    holds: bool = False

    def edge_hz(self, second: float) -> float:
        """Evenly in octaves."""
        done = min(1.0, max(0.0, (second - self.begins_s) / (self.ends_s - self.begins_s)))
        return float(_CLOSED_HZ * (_OPEN_HZ / _CLOSED_HZ) ** (done if self.opens else 1 - done))


def swept(blocks: Iterator[Samples], sweeps: Sequence[Sweep], rate: int) -> Iterator[Samples]:
    """The stream through the sweeps one after the other, 24 dB an octave, of the same length."""
    for sweep in sweeps:
        blocks = _through(blocks, sweep, rate)
    yield from blocks


def _through(blocks: Iterator[Samples], sweep: Sweep, rate: int) -> Iterator[Samples]:
    from scipy.signal import sosfilt

    begins, ends = round(sweep.begins_s * rate), round(sweep.ends_s * rate)
    fade = max(1, min(round(_CROSSFADE_S * rate), (ends - begins) // 2))
    if sweep.holds:
        ends = sys.maxsize
    state = np.zeros((2, 2, 2))
    at = 0
    for block in blocks:
        first, last = max(0, begins - at), min(block.shape[1], ends - at)
        if first < last:
            wet = np.empty((2, last - first))
            for start in range(first, last, _STEP):
                stop = min(start + _STEP, last)
                edge = _low_pass(sweep.edge_hz((at + start) / rate), rate)
                part, state = sosfilt([edge, edge], block[:, start:stop].astype(float), zi=state)
                wet[:, start - first : stop - first] = part
            frames = np.arange(at + first, at + last)
            share = np.clip(np.minimum(frames - begins, ends - frames) / fade, 0, 1)
            made = block.copy()
            made[:, first:last] = block[:, first:last] * (1 - share) + wet * share
            yield made
        else:
            yield block
        at += block.shape[1]


def _low_pass(hz: float, rate: int) -> list[float]:
    """A second-order section (Bristow-Johnson, "Cookbook formulae for audio EQ")."""
    w = 2 * np.pi * min(hz, 0.45 * rate) / rate
    cos, alpha = np.cos(w), np.sin(w) / (2 * _RESONANCE)
    a0 = 1 + alpha
    return [(1 - cos) / 2 / a0, (1 - cos) / a0, (1 - cos) / 2 / a0, 1.0, -2 * cos / a0, (1 - alpha) / a0]
