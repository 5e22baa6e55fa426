"""Hybrid Transformer Demucs (Rouard, Massa and Défossez 2023), by its authors' package and weights."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from resonate_resources.models.chunks import chunk_bounds, cut, joined, write_stems
from resonate_resources.models.device import choose_device, tame_allocator
from resonate_resources.models.model_rate import (
    Group,
    as_stereo,
    channel_groups,
    from_stereo,
    stems_at_rate,
)
from resonate_resources.models.weights import (
    ModelError,
    ModelFile,
    fetch,
    models_directory,
    why_missing,
)
from resonate_resources.parallel import ahead
from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Samples, Stems
from resonate_resources.separation.demucs.bag import Bag, load_checkpoint
from resonate_resources.separation.demucs.inference import Inference
from resonate_resources.signal.resampling import at_rate

Model = Literal["htdemucs_ft", "htdemucs", "htdemucs_6s"]

_HUB = "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer/"
_FILES: dict[str, tuple[str, ...]] = {
    "htdemucs_ft": (
        "f7e0c4bc-ba3fe64a.th",
        "d12395a8-e57c48e6.th",
        "92cfc3b6-ef3bcb9c.th",
        "04573f0d-f3cf25b2.th",
    ),
    "htdemucs": ("955717e8-8726e21a.th",),
    "htdemucs_6s": ("5c90dfd2-34c22ccb.th",),
}
"""As listed in the package's `remote` folder. A name ends in the first eight digits of the file's SHA-256."""

_STEMS = ("vocals", "drums", "bass", "other", "piano", "guitar")
_REST = "other"
CHUNK_SECONDS = 10.0
FADE_SECONDS = 1.0
SEGMENT_SECONDS = 7.8
"""What HT Demucs was trained on and takes at most: its chunks are this long instead of ten seconds."""
_AHEAD = 2
"""Segments read before the network asks for them, and parted before they are written."""
_SILENCE = 1e-8  # as the package adds it to the deviation

_one_at_a_time = threading.Lock()
"""Two tracks side by side would take the memory of both and be no sooner ready."""


def weights(model: str) -> tuple[ModelFile, ...]:
    """The files of a model, in the order of the sources that they are for."""
    return tuple(ModelFile(_HUB + name, name.removesuffix(".th").partition("-")[2]) for name in _FILES[model])


@dataclass(frozen=True)
class Level:
    """Mean and standard deviation of a group of channels, mixed to mono."""

    mean: float
    deviation: float


class DemucsSeparator:
    """Parts a track into vocals, drums, bass and other, and with htdemucs_6s piano and guitar."""

    def __init__(self, model: Model = "htdemucs_ft") -> None:
        if model not in get_args(Model):
            raise ModelError(f"{model}: no such Demucs model; there are {', '.join(get_args(Model))}")
        self._model = model
        self.notes: tuple[str, ...] = ()
        """Of the last separation: what went otherwise than planned, one line each."""
        self.precision_error_db: float | None = None
        """Of the last separation: how far lower precision was from float32 where both were tried."""

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can. Asks the hub only where weights are missing."""
        for package in ("torch", "demucs"):
            if find_spec(package) is None:
                return f"{package} is not installed: install the extra `models` as the README says"
        return why_missing(weights(self._model), models_directory())

    def recipe(self) -> Recipe:
        engine = Engine("demucs", self._model, "MIT (code, and weights as published with it)")
        files: dict[str, Json] = {file.name: file.sha256 for file in weights(self._model)}
        return Recipe.of(__name__, engine, {"weights_sha256": files})

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write the stems; fetches the weights at first use. Raises ModelError where they can't be had.

        Mono is separated as stereo with equal sides; of surround sound every pair and every lone channel is
        separated for itself, as if it were a track of its own.
        """
        with _one_at_a_time:
            bag = _load(self._model, models_directory())
            inference = Inference(bag, choose_device())
            names = tuple(name for name in _STEMS if name in bag.sources)
            blocks = _separated(track, bag, inference)
            rates = bag.sample_rate, track.sample_rate
            stems = write_stems(
                track,
                stems_at_rate(blocks, names, *rates, track.channels, track.frames),
                names,
                into,
                progress,
            )
            self.notes, self.precision_error_db = tuple(inference.notes), inference.error_db
        return stems


@cache
def _load(model: str, directory: Path) -> Bag:
    tame_allocator()
    return Bag([load_checkpoint(fetch(file, directory)) for file in weights(model)])


def _separated(track: Recording, bag: Bag, inference: Inference) -> Iterator[dict[str, Samples]]:
    """Consecutive blocks of the stems at the model's rate."""
    groups = channel_groups(track.channels)
    levels = _measure_levels(track, groups)
    frames = -(-track.frames * bag.sample_rate // track.sample_rate)
    chunk = min(bag.segment, round(CHUNK_SECONDS * bag.sample_rate))
    fade = min(round(FADE_SECONDS * bag.sample_rate), chunk // 2)
    bounds = list(chunk_bounds(frames, chunk, fade, bag.grid))
    mix = at_rate(track.blocks(), track.sample_rate, bag.sample_rate, track.channels, frames)
    segments = (
        _padded((as_stereo(samples, group) - level.mean) / level.deviation, bag.segment)
        for samples in cut(mix, bounds)
        for group, level in zip(groups, levels, strict=True)
    )
    outputs = ahead(inference.run(ahead(segments, _AHEAD)), _AHEAD)
    chunks = (
        _stems(list(islice(outputs, len(groups))), stop - start, bag.sources, groups, levels)
        for start, stop in bounds
    )
    return joined(chunks, bounds, fade)


def _measure_levels(track: Recording, groups: Sequence[Group]) -> list[Level]:
    """One reading of the track. The package measures at the model's rate, which is the same but for what is
    above its range of frequencies."""
    sums = np.zeros((len(groups), 2))
    for block in track.blocks():
        for index, group in enumerate(groups):
            mono = as_stereo(block, group).mean(0, dtype=np.float64)
            sums[index] += mono.sum(), np.vdot(mono, mono)
    levels = []
    for total, energy in sums:
        mean = total / max(1, track.frames)
        variance = max(0.0, energy - total * mean) / max(1, track.frames - 1)
        levels.append(Level(float(mean), math.sqrt(variance) + _SILENCE))
    return levels


def _padded(samples: Samples, frames: int) -> Samples:
    """What the model itself does to less than a segment, in a batch of whole ones."""
    return np.pad(samples, ((0, 0), (0, frames - samples.shape[1])))


def _stems(
    outputs: list[Samples],
    frames: int,
    sources: Sequence[str],
    groups: Sequence[Group],
    levels: Sequence[Level],
) -> dict[str, Samples]:
    """name → (channels, frames) of one chunk, from (sources, 2, segment) of each of its groups of channels."""
    stems: dict[str, Samples] = {}
    for index, name in enumerate(sources):
        parts = []
        for output, group, level in zip(outputs, groups, levels, strict=True):
            part = from_stereo(output[index, :, :frames], group) * np.float32(level.deviation)
            # The package adds the offset to every stem, so that they sum to several times that of the track.
            parts.append(part + np.float32(level.mean) if name == _REST else part)
        stems[name] = np.concatenate(parts)
    return stems
