"""Tone and width by octave, made without moving phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from resonate_resources.mixing.plan import EVEN, MonoBass, Octaves, Section
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.blocks import with_context
from resonate_resources.signal.linear_phase import SECONDS, Taps, convolve, convolved, linear_phase

CROSSFADE_S = 0.05
"""From one section's width to the next."""


@dataclass(frozen=True)
class Shape:
    """In dB by octave: tone, of mid and side; width, of the side alone; sections, of the side alone and in time."""

    tone_db: Octaves = EVEN
    width_db: Octaves = EVEN
    mono_bass: MonoBass | None = None
    sections: Sequence[Section] = ()

    @property
    def is_flat(self) -> bool:
        narrowed = self.mono_bass is not None and self.mono_bass.part > 0
        widths = [self.width_db, *(section.width_db for section in self.sections)]
        return not narrowed and not any(self.tone_db) and not any(map(any, widths))

    def side_taps(self, sample_rate: int, width_db: Octaves = EVEN) -> Taps:
        """Of the side where a section adds width_db."""
        gains = tuple((np.array(self.tone_db) + self.width_db + width_db).tolist())
        if self.mono_bass is None:
            return _taps(gains, sample_rate, None, 1.0)
        return _taps(gains, sample_rate, self.mono_bass.below_hz, 1 - self.mono_bass.part)


def context_frames(sample_rate: int) -> int:
    """How far around it a frame is heard."""
    return round(SECONDS * sample_rate / 2)


def shaped(
    stream: Iterator[Samples], channels: int, sample_rate: int, shape: Shape, start: int = 0
) -> Iterator[Samples]:
    """A stream of that shape, without latency, of the same length; silence is around it.

    Only two channels have a width. start: where in the track, in frames, the stream begins; may be negative.
    """
    tone = _taps(shape.tone_db, sample_rate, None, 1.0)
    still = Shape(shape.tone_db)
    if channels != 2 or Shape(EVEN, shape.width_db, shape.mono_bass, shape.sections).is_flat:
        yield from convolved(stream, [tone] * channels) if not still.is_flat else stream
        return
    half = context_frames(sample_rate)
    at = start
    for held in with_context(stream, half):
        mid, side = (held[0] + held[1]) / 2, (held[0] - held[1]) / 2
        frames = held.shape[1] - 2 * half
        seconds = np.arange(at, at + frames) / sample_rate
        mid, side = convolve(mid, tone, half), _side(side, seconds, sample_rate, shape, half)
        at += frames
        yield np.stack([mid + side, mid - side])


def _side(
    held: npt.NDArray[np.float32],
    seconds: npt.NDArray[np.float64],
    sample_rate: int,
    shape: Shape,
    half: int,
) -> npt.NDArray[np.float32]:
    """The side, which goes over from filter to filter where sections meet."""
    made = np.zeros(len(seconds), np.float32)
    elsewhere = np.ones(len(seconds))
    for section in shape.sections:
        weight = _ramp(seconds - section.start_s) * _ramp(section.stop_s - seconds)
        if not weight.any():
            continue
        elsewhere -= weight
        taps = shape.side_taps(sample_rate, section.width_db)
        made += weight.astype(np.float32) * convolve(held, taps, half)
    if np.abs(elsewhere).max(initial=0.0) > 1e-9:
        made += elsewhere.astype(np.float32) * convolve(held, shape.side_taps(sample_rate), half)
    return made


def _ramp(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 before, 1 behind; the ramps of two sections that meet sum to 1."""
    return np.clip(seconds / CROSSFADE_S + 0.5, 0.0, 1.0)


@lru_cache(maxsize=64)
def _taps(gains_db: Octaves, sample_rate: int, low_hz: float | None, low_gain: float) -> Taps:
    return linear_phase(gains_db, sample_rate, low_hz, low_gain)
