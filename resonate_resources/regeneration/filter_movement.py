"""Filters that were opened and closed: while one moves, what is played follows the original's tone.

One equaliser holds for the whole of a stem, and a sweep is what it averages away. Only where the analysis is sure
that a filter moves does the tone follow by short stretches; elsewhere that would copy the recording's course.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.regeneration.matching import eq_db, levels_of, taps_of
from resonate_resources.signal.blocks import with_context
from resonate_resources.signal.linear_phase import Taps, convolve

_STRETCH_S: Final = 0.5
_RAMP_S: Final = 0.05
_MOST_DB: Final = 12.0


@dataclass(frozen=True)
class Stretch:
    """taps hold between full_from and full_to, in frames, and fade in from start and out to end."""

    start: int
    full_from: int
    full_to: int
    end: int
    taps: Taps

    def weights(self, start: int, stop: int) -> Samples:
        corners = (self.start, self.full_from, self.full_to, self.end)
        return np.interp(np.arange(start, stop), corners, (0, 1, 1, 0)).astype(np.float32)


@dataclass(frozen=True)
class FilterMovement:
    """stretches: one or more, by time; the weights of those that follow each other add up to 1."""

    stretches: tuple[Stretch, ...]

    @classmethod
    def following(
        cls, sweeps_s: Sequence[tuple[float, float]], original: Recording, played: Recording
    ) -> FilterMovement | None:
        """sweeps_s: when filters surely move, from and to; what overlaps is cut. Both recordings are of one rate
        and length, and of two channels. None where nothing moves."""
        rate = original.sample_rate
        stretches: list[Stretch] = []
        end = 0
        for from_s, to_s in sorted(sweeps_s):
            start, end = max(end, round(from_s * rate)), max(end, min(round(to_s * rate), original.frames))
            if end - start > 2 * _RAMP_S * rate:
                stretches += _followed(original, played, start, end)
        return cls(tuple(stretches)) if stretches else None

    def applied(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream of two channels; of the same length, and the very same outside of the sweeps."""
        half = max(len(stretch.taps) for stretch in self.stretches) // 2
        at = 0
        for held in with_context(blocks, half):
            frames = held.shape[1] - 2 * half
            block = held[:, half : half + frames].copy()
            for stretch in self.stretches:
                start, stop = max(stretch.start, at), min(stretch.end, at + frames)
                if start >= stop:
                    continue
                part = slice(start - at, stop - at)
                around = held[:, part.start : part.stop + 2 * half]
                filtered = np.stack([convolve(channel, stretch.taps, half) for channel in around])
                # Of the difference, so that what is unfiltered comes back whole.
                block[:, part] += stretch.weights(start, stop) * (
                    filtered - held[:, half + part.start : half + part.stop]
                )
            at += frames
            yield block


def _followed(original: Recording, played: Recording, start: int, end: int) -> list[Stretch]:
    rate = original.sample_rate
    count = ceil((end - start) / (_STRETCH_S * rate))
    edges = np.linspace(start, end, count + 1).round().astype(int)
    heard = [
        levels_of(iter([recording.read(start, end)]), rate, (edges - start).tolist())
        for recording in (original, played)
    ]
    ramp = round(_RAMP_S * rate)
    middles = ((edges[1:] + edges[:-1]) // 2).tolist()
    stretches = []
    for number, (wanted, had) in enumerate(zip(*(levels.power.sum(axis=1) for levels in heard), strict=True)):
        sounding = wanted.any() and had.any()
        curve = eq_db(wanted, had, _MOST_DB) if sounding else np.zeros_like(wanted)
        first, last = number == 0, number == count - 1
        stretches.append(
            Stretch(
                start if first else middles[number - 1],
                start + ramp if first else middles[number],
                end - ramp if last else middles[number],
                end if last else middles[number + 1],
                taps_of(curve, heard[0].hertz, rate),
            )
        )
    return stretches
