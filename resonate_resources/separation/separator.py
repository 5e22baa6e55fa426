"""What every separation engine is: something that parts a track into stems on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resonate_resources.audio import Progress, Recording, Stems
from resonate_resources.engine import Engine


class Separator(Protocol):
    """A separation engine. It may stream, hold a model, drive a worker, or ask a service."""

    def engine(self) -> Engine:
        """What would run, with every setting that changes the result; cheap, before anything is loaded."""
        ...

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write `<stem>.wav` for every stem into the directory `into`.

        Sample rate, channels and frame count are the track's. Raises AudioError.
        """
        ...
