"""What the worker does with a job: a track, file to file, through a model that stays loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.audio_separator.array_models import ArrayModel
from resonate_resources.models.audio_separator.inversion import as_processors_invert
from resonate_resources.models.audio_separator.loading import Came, load_model
from resonate_resources.models.audio_separator.room import Device, with_room
from resonate_resources.models.chunks import chunk_bounds, cut, joined, write_stems
from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.model_rate import (
    as_stereo,
    channel_groups,
    from_stereo,
    stems_at_rate,
)
from resonate_resources.models.precision import MixedPrecision, lower_precision
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples
from resonate_resources.signal.resampling import at_rate

VERSION = "0.47.1"
"""Of the package."""
CHUNK_SECONDS = 10.0
FADE_SECONDS = 1.0

_REST = "other"


class SeparationWork:
    """Jobs as `calling.part` makes them. Only the latest model is kept."""

    def __init__(self) -> None:
        self._models = Latest[ArrayModel]()
        self._batch = 1

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """A model that went to the processor stays there for this track; the next one has the GPU tried again."""
        path, roformer = Path(job["models"]) / job["model"], job["roformer"]
        warm = self._models.holds((state_of(path), roformer, "best"))
        track = Recording.open(Path(job["track"]))

        def load(_: int, device: Device) -> Device:
            self._ready(path, roformer, device, lambda: progress(0.0))
            return device

        def separate(batch: int, device: Device) -> tuple[str, ...]:
            model = self._ready(path, roformer, device, lambda: progress(0.0))
            model.batch = batch
            precision = MixedPrecision(lower_precision(device))
            separate_track(model, track, tuple(job["stems"]), Path(job["into"]), progress, precision)
            return precision.notes

        device, loading = with_room(load, 1, "best")
        with as_processors_invert():
            precise, separating = with_room(separate, self._batch, device)
        return {"was_warm": warm, "notes": [*loading, *separating, *precise]}

    def _ready(self, path: Path, roformer: bool, device: Device, came: Came) -> ArrayModel:
        def load() -> ArrayModel:
            model = load_model(path.name, path.parent, roformer, device, came)
            self._batch = model.batch
            return model

        return self._models.get(lambda: (state_of(path), roformer, device), load)


def separate_track(
    model: ArrayModel,
    track: Recording,
    names: tuple[str, ...],
    into: Path,
    progress: Progress,
    precision: MixedPrecision,
) -> None:
    """Write `<name>.wav` into `into` for the stems `names`; what else the model gives goes into other.

    Raises ModelError where it does not give them all.
    """
    if lacking := set(names) - set(model.stems):
        raise ModelError(
            f"the model gives {', '.join(model.stems)}, not {', '.join(sorted(lacking))}; choose another one"
        )
    rate = model.sample_rate
    groups = channel_groups(track.channels)
    frames = -(-track.frames * rate // track.sample_rate)
    fade = round(FADE_SECONDS * rate)
    bounds = list(chunk_bounds(frames, round(CHUNK_SECONDS * rate), fade, model.grid))

    def chunks() -> Iterator[Samples]:
        return cut(at_rate(track.blocks(), track.sample_rate, rate, track.channels, frames), bounds)

    levels = [0.0] * len(groups)
    for samples in chunks():
        for index, group in enumerate(groups):
            levels[index] = max(levels[index], model.level(_padded(as_stereo(samples, group), model)))

    def separated(samples: Samples) -> dict[str, Samples]:
        stems: dict[str, list[Samples]] = {name: [] for name in names}
        for group, level in zip(groups, levels, strict=True):
            parts = precision(model.separate, _padded(as_stereo(samples, group), model), level)
            for name in names:
                stem = parts[name]
                if name == _REST:
                    stem = np.sum([stem, *(parts[more] for more in parts if more not in names)], axis=0)
                stems[name].append(from_stereo(stem[:, : samples.shape[1]], group))
        return {name: np.concatenate(stem) for name, stem in stems.items()}

    blocks = joined(map(separated, chunks()), bounds, fade)
    write_stems(
        track,
        stems_at_rate(blocks, names, rate, track.sample_rate, track.channels, track.frames),
        names,
        into,
        progress,
    )


def _padded(samples: Samples, model: ArrayModel) -> Samples:
    """A second at least, which every model's spectrogram has room for, in whole strides."""
    frames = max(samples.shape[1], model.sample_rate)
    return np.pad(samples, ((0, 0), (0, -(-frames // model.grid) * model.grid - samples.shape[1])))
