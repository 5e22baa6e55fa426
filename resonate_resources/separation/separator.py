"""What every separation engine is: something that parts a track into stems on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resonate_resources.recipe import Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems


class Separator(Protocol):
    """A separation engine. It may stream, hold a model, drive a worker, or ask a service."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the last separation: what people should know, and what went otherwise than planned, a line each."""
        ...

    def recipe(self) -> Recipe:
        """What would run, with all that changes the result; cheap, before anything is loaded.

        What it runs on (processor or GPU, and in which precision there) is not in it: results of one model count as
        one, within the error that lower precision may have (`models.precision`).
        """
        ...

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can, as far as can be told in a few seconds."""
        ...

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write `<stem>.wav` for every stem into the directory `into`.

        Sample rate, channels and frame count are the track's. Raises AudioError.
        """
        ...
