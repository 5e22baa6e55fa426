"""What every engine is, whether it composes by rules or by a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.recordings.recording import Progress


class CompositionEngine(Protocol):
    """name: as it is chosen by. model: of whom the weights are, "" of none. licence: of the weights, an SPDX
    identifier where there is one. label: what every file of it says of its origin."""

    name: str
    model: str
    licence: str
    label: str

    def lacks(self) -> str:
        """What keeps it from running here, and what to do, in one line; "" where nothing does."""
        ...

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress) -> Rendered:
        """Stems of the plan, on its grid, and their sum, in a folder. The same plan and seed give the same bytes on
        the same machine. Raises AudioError."""
        ...
