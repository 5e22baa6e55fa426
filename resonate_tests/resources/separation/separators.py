"""Separators that are as good as they are told to be: real implementations of the protocol, of known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from resonate_resources.recipe import Engine, Recipe
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    Stems,
    write_samples,
)

RATE = 8000


@dataclass
class Truthful:
    """Knows the true stems, and gives them with noise, at dB against the stem that differ by window of ten seconds.

    asked: start and stop in frames of everything it separated. It finds a part of the track by its first frames.
    """

    name: str
    truth: Mapping[str, Samples]
    quality_db: Sequence[float]
    failure: str | None = None
    notes: tuple[str, ...] = ()
    asked: list[tuple[int, int]] = field(default_factory=list)

    def recipe(self) -> Recipe:
        return Recipe(Engine(self.name), {"quality_db": list(self.quality_db)})

    def available(self) -> str | None:
        return None

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        if self.failure is not None:
            raise AudioError(self.failure)
        mix = np.sum(list(self.truth.values()), axis=0)
        start = _find(track.read(), mix)
        self.asked.append((start, start + track.frames))
        progress(1.0)
        return {
            name: write_samples(into / f"{name}.wav", self._noisy(stem, start, start + track.frames), RATE)
            for name, stem in self.truth.items()
        }

    def _noisy(self, stem: Samples, start: int, stop: int) -> Samples:
        # stable over processes, unlike hash()
        rng = np.random.default_rng([sum(self.name.encode()), int(abs(stem[0, 0]) * 1e6)])
        noise = rng.standard_normal(stem.shape).astype(np.float32)
        gains = np.repeat([10 ** (-db / 20) for db in self.quality_db], 10 * RATE).astype(np.float32)
        gains = np.pad(gains, (0, max(0, stem.shape[1] - len(gains))), mode="edge")[: stem.shape[1]]
        return (stem + stem.std() * gains * noise)[:, start:stop]


def _find(part: Samples, whole: Samples) -> int:
    for start in range(0, whole.shape[1], 10 * RATE):
        if np.allclose(whole[:, start : start + 100], part[:, :100], atol=1e-6):
            return start
    raise AssertionError("not a part of the track")


def true_stems(
    seconds: int, names: Sequence[str] = ("vocals", "drums", "bass", "other")
) -> dict[str, Samples]:
    """Noise of different colours in each stem, stereo."""
    rng = np.random.default_rng(seconds)
    return {name: (0.1 * rng.standard_normal((2, seconds * RATE))).astype(np.float32) for name in names}
