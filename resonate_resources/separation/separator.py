"""What every separation engine is: something that parts a track into stems on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resonate_resources.engine import Engine
from resonate_resources.recordings.recording import Progress, Recording, Stems


class Separator(Protocol):
    """A separation engine. It may stream, hold a model, drive a worker, or ask a service."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the last separation: what went otherwise than planned, one line each."""
        ...

    def engine(self) -> Engine:
        """What would run, with every setting that changes the result; cheap, before anything is loaded."""
        ...

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can, as far as can be told in a few seconds."""
        ...

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write `<stem>.wav` for every stem into the directory `into`.

        Sample rate, channels and frame count are the track's. Raises AudioError.
        """
        ...
