"""Risers, downlifters, impacts and reversed cymbals: made of noise and tones, of any length."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from resonate_resources.instruments.circuits import Mono, band, bridged_t, fall, noise, seconds
from resonate_resources.instruments.drum_machine import stroke
from resonate_resources.recordings.recording import Samples

Kind = Literal["riser", "downlifter", "impact", "reverse_cymbal"]

LOW_HZ, HIGH_HZ = 300.0, 9000.0
_CRASH: Final = 49
_FADE_S: Final = 0.015
_STEPS: Final = 24  # bands of noise that a sweep goes through
_BOOM_S: Final = 2.5
_TONE: Final = 0.12


def made(
    kind: Kind,
    length_s: float,
    seed: tuple[int, int],
    rate: int,
    low_hz: float = LOW_HZ,
    high_hz: float = HIGH_HZ,
    tone: float = _TONE,
) -> Samples:
    """(2, frames), its peak 1. A riser and a reversed cymbal are loudest where they end; an impact rings on.

    low_hz, high_hz: what the noise of a riser goes between, and a downlifter's back. tone: of a sine that goes
    along, against the noise.
    """
    if kind == "reverse_cymbal":
        crash = stroke("909", _CRASH, rate)
        # Its loud end comes last, from silence where the cymbal is shorter than the beat it begins at.
        frames = max(1, round(length_s * rate))
        sound = np.zeros((2, frames))
        taken = min(frames, crash.shape[1])
        sound[:, frames - taken :] = crash[:, :taken][:, ::-1]
    elif kind == "impact":
        t = seconds(max(length_s, _BOOM_S), rate)
        boom = np.tanh(2 * bridged_t(t, 38, 0.55, 60, 0.08))
        sound = np.stack(
            [
                boom + 0.5 * band(noise(t, hash_of(seed, side)), rate, 60, 3500) * fall(t, 0.25)
                for side in (0, 1)
            ]
        )
    else:
        t = seconds(max(length_s, 0.1), rate)
        sound = np.stack([_lifted(t, rate, hash_of(seed, side), low_hz, high_hz, tone) for side in (0, 1)])
        if kind == "downlifter":
            sound = sound[:, ::-1]
    return _ended(sound / np.abs(sound).max(), rate)


def hash_of(seed: tuple[int, int], side: int) -> int:
    """A seed for one channel of one effect."""
    return int(np.random.default_rng((*seed, side)).integers(2**32))


def _lifted(t: Mono, rate: int, seed: int, low_hz: float, high_hz: float, level: float) -> Mono:
    """Noise whose band rises, and a tone that rises by three octaves, ever louder."""
    done = t / t[-1]
    source = noise(t, seed)
    centres = np.geomspace(low_hz, high_hz, _STEPS)
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
    return np.asarray((swept + level * tone) * done**1.5, np.float64)


def _ended(sound: Samples, rate: int) -> Samples:
    faded = np.asarray(sound, np.float32).copy()
    fade = min(faded.shape[1] // 2, round(_FADE_S * rate))
    if fade:
        faded[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return faded
