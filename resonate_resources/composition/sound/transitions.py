"""Risers, downlifters, impacts and reversed cymbals: made of noise and tones, each as long as the plan has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from resonate_resources.composition.plan import Effect, Plan
from resonate_resources.composition.sound.circuits import Mono, band, bridged_t, fall, noise, seconds
from resonate_resources.composition.sound.drum_machine import stroke
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples

SOUNDING: Final = frozenset({"riser", "downlifter", "impact", "reverse_cymbal"})
_CRASH: Final = 49
_FADE_S: Final = 0.015
_LOW_HZ, _HIGH_HZ = 300.0, 9000.0
_STEPS: Final = 24  # bands of noise that a sweep goes through
_BOOM_S: Final = 2.5


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
    """(2, frames), its peak 1. A riser and a reversed cymbal are loudest where they end; an impact rings on."""
    length_s = (effect.ends - effect.begins) * 60 / plan.bpm
    seed = plan.seed % 2**32, round(effect.begins * 1000)
    if effect.kind == "reverse_cymbal":
        crash = stroke("909", _CRASH, rate)
        # Its loud end comes last, from silence where the cymbal is shorter than the beat it begins at.
        frames = max(1, round(length_s * rate))
        sound = np.zeros((2, frames))
        taken = min(frames, crash.shape[1])
        sound[:, frames - taken :] = crash[:, :taken][:, ::-1]
    elif effect.kind == "impact":
        t = seconds(max(length_s, _BOOM_S), rate)
        boom = np.tanh(2 * bridged_t(t, 38, 0.55, 60, 0.08))
        sound = np.stack(
            [
                boom + 0.5 * band(noise(t, hash_of(seed, side)), rate, 60, 3500) * fall(t, 0.25)
                for side in (0, 1)
            ]
        )
    else:
        sound = np.stack(
            [_lifted(seconds(max(length_s, 0.1), rate), rate, hash_of(seed, side)) for side in (0, 1)]
        )
        if effect.kind == "downlifter":
            sound = sound[:, ::-1]
    return _ended(sound / np.abs(sound).max(), rate)


def hash_of(seed: tuple[int, int], side: int) -> int:
    """A seed for one channel of one effect."""
    return int(np.random.default_rng((*seed, side)).integers(2**32))


def _lifted(t: Mono, rate: int, seed: int) -> Mono:
    """Noise whose band rises by five octaves, and a tone that rises by three, ever louder."""
    done = t / t[-1]
    source = noise(t, seed)
    centres = np.geomspace(_LOW_HZ, _HIGH_HZ, _STEPS)
    place = done * (_STEPS - 1)
    swept = np.zeros_like(t)
    for index, centre in enumerate(centres):
        share = np.maximum(0, 1 - np.abs(place - index))
        here = np.flatnonzero(share)
        if here.size:
            piece = slice(int(here[0]), int(here[-1]) + 1)
            swept[piece] += share[piece] * band(
                source[piece], rate, centre / 1.6, min(centre * 1.6, 0.45 * rate)
            )
    cycles = np.cumsum(150 * 8**done) / rate
    tone = np.sin(2 * np.pi * cycles) + 0.4 * np.sin(4 * np.pi * cycles)
    return np.asarray((swept + 0.12 * tone) * done**1.5, np.float64)


def _ended(sound: Samples, rate: int) -> Samples:
    faded = np.asarray(sound, np.float32).copy()
    fade = min(faded.shape[1] // 2, round(_FADE_S * rate))
    if fade:
        faded[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return faded
