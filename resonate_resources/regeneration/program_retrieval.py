"""Which programs of soundfonts sound most like a part: each plays its notes, and is held against the stem.

Two excerpts are compared by spectrum, envelope and fine structure, in which harmonics, beating and inharmonicity
stand. What an equaliser changes counts little: the weights below were fitted so that the same family is found in
another soundfont (`resonate_tests/benchmarks/bench_programs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from resonate_resources.instruments.fluidsynth_player import DRUM_BANK
from resonate_resources.instruments.soundfont_file import Program, Soundfont
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.excerpts import EXCERPT_S, RATE, Floats, excerpts, power_of, sound_of
from resonate_resources.signal.band_levels import mel_bands

Render = Callable[[Soundfont, Program, int, Sequence[Note], int, float], Samples]
"""soundfont, program, sample rate in Hz, notes, frames, release in s → (2, frames)."""

_RELEASE_S: Final = 1.0

# General MIDI level 1: families of eight programs. Basses, and what else plays bass lines: cello, contrabass, tuba,
# baritone sax, bassoon, the lead that is bass and lead. Not asked: effects, ethnic, percussive.
_BASSES: Final = (*range(32, 40), 42, 43, 58, 67, 70, 87)
_MELODIC: Final = (*range(32), *range(40, 96))
_KITS: Final = (0, 8, 16, 24, 25, 32, 40, 48)  # Roland GS, General MIDI 2
_FAMILY: Final = 8

_FRAME, _HOP, _BANDS, _POOLED_FRAMES, _POOLED_BANDS = 1024, 256, 64, 4, 3
_FINE_FRAME, _FINE_HOP, _FINE_STEPS = 4096, 1024, 36  # an octave
_LOWEST_HZ, _FINE_OCTAVES = 55.0, 7.3

# dB of the band levels, of the same less each band's median, of the loudness's course, of the mean spectrum, of
# the fine structure, of what rises from one moment to the next. By conditional logit on single parts of songs
# 0–5 and 300–303, every program once, FluidR3 and sf_GMbank for each other.
WEIGHTS: Final = (0.183, 0.565, 0.814, 0.150, 2.178, 1.311)


def nearest_programs(
    part: Part, soundfonts: Sequence[Soundfont], render: Render
) -> list[tuple[Soundfont, Program]]:
    """The nearest first. For basses and kits every program; else the nearest one of each family, so that the first
    three are of three families."""
    windows = excerpts(part.notes)
    heard = sound_features(sound_of(part.recording, windows))
    drums = part.stem == "drums"
    wanted = _KITS if drums else _BASSES if part.stem == "bass" else _MELODIC
    found: list[tuple[float, int, Soundfont, Program]] = []
    for number, soundfont in enumerate(soundfonts):
        for program in soundfont.programs:
            if program.bank != (DRUM_BANK if drums else 0) or program.number not in wanted:
                continue
            played = [
                render(soundfont, program, RATE, notes, round(EXCERPT_S * RATE), _RELEASE_S).mean(axis=0)
                for _, notes in windows
            ]
            far = distance(heard, sound_features(np.concatenate(played)))
            found.append((far, number, soundfont, program))
    ranked = [(soundfont, program) for _, _, soundfont, program in sorted(found, key=lambda one: one[:2])]
    if part.stem in ("drums", "bass"):
        return ranked
    families: dict[int, tuple[Soundfont, Program]] = {}
    for soundfont, program in ranked:
        families.setdefault(program.number // _FAMILY, (soundfont, program))
    return list(families.values())


def sound_features(sound: Floats) -> tuple[Floats, ...]:
    """What is compared, a vector for each of the weights. sound: (samples,) at RATE; its level does not matter."""
    mel = mel_bands(_BANDS, 30.0, 11_000.0, RATE, _FRAME)
    return _compared(
        power_of(sound, _FRAME, _HOP) @ mel, power_of(sound, _FINE_FRAME, _FINE_HOP).mean(axis=0)
    )


def distance(one: Sequence[Floats], other: Sequence[Floats]) -> float:
    """Weighted, of two sounds' features; 0 for the same sound."""
    return float(np.dot(WEIGHTS, differences(one, other)))


def differences(one: Sequence[Floats], other: Sequence[Floats]) -> Floats:
    """(weights,) in dB, the mean of each vector's."""
    return np.array([np.abs(a - b).mean() for a, b in zip(one, other, strict=True)], np.float32)


def _compared(power: Floats, fine: Floats) -> tuple[Floats, ...]:
    frames = len(power) // _POOLED_FRAMES * _POOLED_FRAMES
    power = power[:frames].reshape(-1, _POOLED_FRAMES, _BANDS).mean(axis=1)
    power = power / (power.sum(axis=1).mean() + 1e-20)
    bands = np.add.reduceat(power, np.arange(0, _BANDS, _POOLED_BANDS), axis=1)
    levels = 10 * np.log10(bands + 1e-5)
    loudness = 10 * np.log10(power.sum(axis=1) + 1e-4)
    spectrum = 10 * np.log10(power.mean(axis=0) + 1e-6)
    rising = np.maximum(np.diff(levels, axis=0), 0).mean(axis=0)
    compared = (
        levels, levels - np.median(levels, axis=0), np.diff(loudness), spectrum - spectrum.mean(),
        _fine_structure(fine), rising,
    )  # fmt: skip
    return tuple(np.asarray(vector, np.float32).ravel() for vector in compared)


def _fine_structure(power: Floats) -> Floats:
    """The spectrum less its course over an octave, in dB, at steps of equal ratio."""
    hertz = np.fft.rfftfreq(_FINE_FRAME, 1 / RATE)
    steps = _LOWEST_HZ * 2 ** (np.arange(0, _FINE_OCTAVES * _FINE_STEPS) / _FINE_STEPS)
    levels = np.interp(steps, hertz, 10 * np.log10(power / (power.max() + 1e-20) + 1e-6))
    padded = np.pad(levels, _FINE_STEPS // 2, mode="edge")
    course = np.convolve(padded, np.full(_FINE_STEPS + 1, 1 / (_FINE_STEPS + 1)), "valid")
    return np.asarray(levels - course, np.float32)
