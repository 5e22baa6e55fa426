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

    recorded: RecordedSounds | None = None
    """A recording's own sounds, that play what they can."""

    def keyed(self) -> Mapping[str, Json]:
        return {"sounds": self.recorded.sha256} if self.recorded else {}

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress) -> Rendered:  # noqa: ARG002 — in the plan
        return render(plan, into, progress=progress, recorded=self.recorded)
