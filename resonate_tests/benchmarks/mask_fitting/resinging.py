"""Real voices made to sing: recordings parted into pitch, timbre and breath by WORLD, then put together at other
pitches.

Needs `pyworld`, and `setuptools<81`, which it imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_tests.benchmarks.mask_fitting import real_sounds
from resonate_tests.benchmarks.mask_fitting.real_sounds import RATE

Audio = npt.NDArray[np.float64]
Random = np.random.Generator

_PERIOD_S = 0.005
_LONGEST_S = 1.2
_CONSONANT_S = 0.09
_WORDS = 8
"""Syllables of a song: they come again, as words of a song do."""


@dataclass(frozen=True)
class Syllable:
    """Envelope and aperiodicity (times, bins) by 5 ms; voiced: from which time to which; pitch as in MIDI."""

    envelope: Audio
    aperiodicity: Audio
    voiced: range
    pitch: float


@lru_cache(maxsize=400)
def syllable(file: Path, start: int) -> Syllable | None:
    """The longest voiced stretch of at most 1.2 s of a recording from that frame on; None where there is none."""
    import pyworld

    sound = np.ascontiguousarray(real_sounds.read(file)[start : start + int(_LONGEST_S * RATE)])
    if len(sound) < RATE // 5:
        return None
    hertz, times = pyworld.dio(sound, RATE, frame_period=1000 * _PERIOD_S)
    hertz = pyworld.stonemask(sound, hertz, times, RATE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hertz > 0, [0]]).astype(int)))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    first, stop = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    if stop - first < 0.08 / _PERIOD_S:
        return None
    pitch = 69 + 12 * float(np.log2(np.median(hertz[first:stop]) / 440))
    envelope = pyworld.cheaptrick(sound, hertz, times, RATE)
    aperiodicity = pyworld.d4c(sound, hertz, times, RATE)
    return Syllable(envelope, aperiodicity, range(first, stop), pitch)


def resung(
    files: Sequence[Path], notes: Sequence[tuple[float, float, float]], rng: Random, frames: int
) -> Audio:
    """(frames,): who speaks in the files sings those notes (second, duration in s, pitch as in MIDI), octaves lower
    or higher where that is nearer to how they speak. The vowel begins with the note, its consonant before it.
    """
    import pyworld

    words: list[Syllable] = []
    for _ in range(60):
        file = files[rng.integers(len(files))]
        length = len(real_sounds.read(file))
        found = syllable(file, int(rng.integers(0, max(1, length - int(_LONGEST_S * RATE)))))
        words += [found] if found else []
        if len(words) == _WORDS:
            break
    out = np.zeros(frames)
    if not words or not notes:
        return out
    spoken = float(np.median([word.pitch for word in words]))
    octaves = 12 * round((spoken + 4 - float(np.median([pitch for *_, pitch in notes]))) / 12)
    vibrato_hz, depth, speed = rng.uniform(4.5, 6.5), rng.uniform(0, 0.7), rng.uniform(0.03, 0.1)
    before: float | None = None
    for second, duration, pitch in notes:
        word = words[rng.integers(len(words))]
        lead = min(word.voiced.start, int(_CONSONANT_S / _PERIOD_S))
        times = max(4, int(duration * 0.97 / _PERIOD_S))
        natural = len(word.voiced)
        within = np.arange(times) if times <= natural else np.linspace(0, natural - 1, times)
        path = np.concatenate([np.arange(-lead, 0), within]) + word.voiced.start
        t = np.arange(-lead, times) * _PERIOD_S
        semitones = np.full(len(t), float(pitch + octaves))
        semitones += depth * np.sin(2 * np.pi * vibrato_hz * t) * np.clip((t - 0.2) / 0.3, 0, 1)
        if before is not None:
            semitones += (before - pitch) * np.exp(-np.maximum(t, 0) / speed) * 0.5
        hertz = np.where(t >= 0, 440 * 2 ** ((semitones - 69) / 12), 0.0)
        nearest = np.round(path).astype(int)
        sound = pyworld.synthesize(
            hertz,
            np.ascontiguousarray(word.envelope[nearest]),
            np.ascontiguousarray(word.aperiodicity[nearest]),
            RATE,
            1000 * _PERIOD_S,
        )
        edge = min(len(sound) // 4, RATE // 40)
        sound[-edge:] *= np.linspace(1, 0, edge)
        sound *= 0.1 * rng.uniform(0.7, 1.2) / (np.sqrt(np.square(sound).mean()) + 1e-9)
        start = int((second - lead * _PERIOD_S) * RATE)
        sound = sound[max(0, -start) :]
        part = sound[: max(0, frames - max(0, start))]
        out[max(0, start) : max(0, start) + len(part)] += part
        before = pitch
    return out
