"""The plan's risers, downlifters, impacts and reversed cymbals, each where and as long as the plan has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast, get_args

import numpy as np

from resonate_resources.composition.plan import Effect, Plan
from resonate_resources.instruments import transitions as sounds
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples

SOUNDING: Final = frozenset(get_args(sounds.Kind))


def transitions(plan: Plan, frames: int, rate: int) -> Iterator[Samples]:
    """Consecutive blocks of (2, ≤ frames), frames in all, of the plan's effects that are sounds of their own."""
    waiting = sorted((each for each in plan.effects if each.kind in SOUNDING), key=lambda each: each.begins)
    ringing = np.zeros((2, 0), np.float32)
    for start in range(0, frames, BLOCK_FRAMES):
        length = min(BLOCK_FRAMES, frames - start)
        block = np.zeros((2, max(length, ringing.shape[1])), np.float32)
        block[:, : ringing.shape[1]] = ringing
        while waiting and (begins := round(waiting[0].begins * 60 / plan.bpm * rate) - start) < length:
            sound = made(waiting.pop(0), plan, rate)
            block = np.pad(block, ((0, 0), (0, max(0, begins + sound.shape[1] - block.shape[1]))))
            block[:, begins : begins + sound.shape[1]] += sound
        yield block[:, :length]
        ringing = block[:, length:]


def made(effect: Effect, plan: Plan, rate: int) -> Samples:
    """(2, frames), its peak 1: see `instruments.transitions.made`."""
    length_s = (effect.ends - effect.begins) * 60 / plan.bpm
    seed = plan.seed % 2**32, round(effect.begins * 1000)
    return sounds.made(cast(sounds.Kind, effect.kind), length_s, seed, rate)
