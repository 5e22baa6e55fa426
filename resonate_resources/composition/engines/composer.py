"""The embedded composer as an engine: the plan's own notes, played. Needs no weights and no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.rendering import Rendered, render
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress


class Composer:
    name = "composer"
    model = ""
    licence = "GPL-3.0-or-later"
    label = "composed by rules"

    def lacks(self) -> str:
        return ""

    def __init__(self) -> None:
        self._recorded: RecordedSounds | None = None

    def play_by(self, recorded: RecordedSounds) -> None:
        """A recording's own sounds, that play what they can from now on."""
        self._recorded = recorded

    def keyed(self) -> Mapping[str, Json]:
        return {"sounds": self._recorded.sha256} if self._recorded else {}

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress) -> Rendered:  # noqa: ARG002 — in the plan
        return render(plan, into, progress=progress, recorded=self._recorded)
