"""Engines made of others: for numbers of stems that a model does not give of itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.recipe import Recipe
from resonate_resources.recordings.recording import Progress, Recording, Samples, Stems, write_recording
from resonate_resources.separation.separator import Separator

_REST = "other"


class Merged:
    """Vocals and other, of an engine that parts the other any further: its stems but the vocals, summed."""

    def __init__(self, separator: Separator) -> None:
        self._separator = separator

    @property
    def notes(self) -> tuple[str, ...]:
        return self._separator.notes

    def recipe(self) -> Recipe:
        recipe = self._separator.recipe()
        return replace(recipe, settings={**recipe.settings, "merged_into": ["vocals", _REST]})

    def available(self) -> str | None:
        return self._separator.available()

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        with TemporaryDirectory(dir=into) as folder:
            stems = self._separator.separate(track, Path(folder), progress)
            vocals = stems["vocals"].path.rename(into / "vocals.wav")
            rest = [stem for name, stem in stems.items() if name != "vocals"]
            return {
                "vocals": Recording.open(vocals),
                _REST: _combined(rest, lambda blocks: np.sum(blocks, axis=0), into / f"{_REST}.wav"),
            }


class VocalsFirst:
    """More than two stems, of an engine for vocals and another one for what is left when they are taken out."""

    def __init__(self, vocals: Separator, rest: Separator) -> None:
        self._vocals, self._rest = vocals, rest

    @property
    def notes(self) -> tuple[str, ...]:
        rest = self._rest.recipe().engine
        told = f"{rest.name} ({rest.model})" if rest.model else rest.name
        return (
            *self._vocals.notes,
            *self._rest.notes,
            f"stems other than the vocals are by {told}, from what they leave",
        )

    def recipe(self) -> Recipe:
        recipe = self._vocals.recipe()
        return replace(recipe, settings={**recipe.settings, "rest": self._rest.recipe().keyed()})

    def available(self) -> str | None:
        return self._vocals.available() or self._rest.available()

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """What the second engine still takes for vocals goes into other: the stems sum as its own do."""
        with TemporaryDirectory(dir=into) as folder:
            first, second = Path(folder) / "vocals", Path(folder) / "rest"
            first.mkdir()
            second.mkdir()
            vocals = self._vocals.separate(track, first, lambda part: progress(part / 2))["vocals"]
            left = _combined([track, vocals], lambda pair: pair[0] - pair[1], Path(folder) / "left.wav")
            parts = self._rest.separate(left, second, lambda part: progress(0.5 + part / 2))
            stems = {"vocals": Recording.open(vocals.path.rename(into / "vocals.wav"))}
            for name, stem in parts.items():
                if name == _REST:
                    both = [stem, parts["vocals"]]
                    stems[name] = _combined(both, lambda pair: pair[0] + pair[1], into / f"{_REST}.wav")
                elif name != "vocals":
                    stems[name] = Recording.open(stem.path.rename(into / stem.path.name))
        return stems


def _combined(
    recordings: Collection[Recording],
    combine: Callable[[Sequence[Samples]], Samples],
    path: Path,
) -> Recording:
    """Blocks of recordings of one shape, put together into one."""
    first = next(iter(recordings))
    with write_recording(path, first.sample_rate, first.channels, first.frames) as writer:
        for blocks in zip(*(recording.blocks() for recording in recordings), strict=True):
            writer.write(combine(blocks))
    return writer.recording
