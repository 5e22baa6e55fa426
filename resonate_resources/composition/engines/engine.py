"""What every engine is, whether it composes by rules or by a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Recording


class CompositionEngine(Protocol):
    """name: as it is chosen by. model: of whom the weights are, "" of none. licence: of the weights, an SPDX
    identifier where there is one. label: what every file of it says of its origin."""

    name: str
    licence: str
    label: str

    @property
    def model(self) -> str: ...

    def lacks(self) -> str:
        """What keeps it from running here, and what to do, in one line; "" where nothing does."""
        ...

    def keyed(self) -> Mapping[str, Json]:
        """What results depend on beside its name and its code: its weights, by file, as SHA-256 in hex."""
        ...

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress) -> Rendered:
        """Stems of the plan, on its grid, and their sum, in a folder. The same plan and seed give the same bytes on
        the same machine. Raises AudioError."""
        ...


@runtime_checkable
class StyledEngine(CompositionEngine, Protocol):
    """One that hears in whose style it is to be. reference: what it hears, given before anything is asked for that
    depends on it."""

    reference: Recording | None
