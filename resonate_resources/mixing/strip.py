"""What one stem passes on its way into the sum: tone, width, dynamics, gain, pan, ducking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resonate_resources.mixing.ducking import ducked
from resonate_resources.mixing.plan import StemPlan
from resonate_resources.mixing.tone import Shape, context_frames, shaped
from resonate_resources.recordings.recording import BLOCK_FRAMES, Recording, Samples
from resonate_resources.signal.blocks import in_blocks, within
from resonate_resources.signal.compression import compressed
from resonate_resources.signal.kicks import Seconds
from resonate_resources.signal.linear_phase import looped


@dataclass(frozen=True)
class Strip:
    """The way of one stem; what has nothing to do is no part of it.

    depth_db, release_s, strokes: how far it is ducked, how fast it comes back, when, in s. loop: the track goes on
    at its start where it ends, so that no processor starts from rest.
    """

    plan: StemPlan
    loop: bool
    depth_db: float
    release_s: float
    strokes: Seconds

    @property
    def is_gain(self) -> bool:
        """Whether it is a gain for each channel, and nothing else."""
        return self._shape.is_flat and not self.plan.compresses and not self._ducks

    @property
    def _ducks(self) -> bool:
        return self.depth_db > 0 and len(self.strokes) > 0

    @property
    def _shape(self) -> Shape:
        return Shape(self.plan.tone_db, self.plan.width_db)

    def gains(self, channels: int) -> Samples:
        """(channels, 1). Pan is a balance of constant power that is 0 dB in the middle, of two channels."""
        gain = 10 ** (self.plan.gain_db / 20)
        if channels != 2 or self.plan.pan == 0:
            return np.full((channels, 1), gain, np.float32)
        angle = (self.plan.pan + 1) * np.pi / 4
        return np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(gain * np.sqrt(2))

    def played(self, stem: Recording) -> Iterator[Samples]:
        """The stem's blocks, of the usual size, as they go into the sum."""
        rate, around = stem.sample_rate, self._around(stem)
        stream = looped(stem, around)
        if not self._shape.is_flat:
            stream = shaped(stream, stem.channels, rate, self._shape)
        if self.plan.dynamics is not None and self.plan.compresses:
            how = self.plan.dynamics
            stream = compressed(stream, how.settings, rate, how.part, how.most_db)
        gains = self.gains(stem.channels)
        stream = (block * gains for block in within(stream, around, around + stem.frames))
        if self._ducks:
            stream = ducked(stream, self._all_strokes(stem.duration), self.depth_db, self.release_s, rate)
        return in_blocks(stream, BLOCK_FRAMES)

    def _around(self, stem: Recording) -> int:
        """Frames of a loop that processors hear before it and behind it."""
        if not self.loop:
            return 0
        frames = context_frames(stem.sample_rate)
        if self.plan.dynamics is not None:
            settings = self.plan.dynamics.settings
            frames += round((settings.release_ms + settings.look_ahead_ms) * stem.sample_rate / 1000)
        return min(frames, stem.frames)

    def _all_strokes(self, duration: float) -> Seconds:
        """With those of a loop's last and next time."""
        if not self.loop:
            return self.strokes
        return np.concatenate([self.strokes - duration, self.strokes, self.strokes + duration])
