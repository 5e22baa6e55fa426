"""Restoration as a resource: which engine, how strongly."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from resonate_resources.recipe import Product, Recipe
from resonate_resources.recordings.recording import Progress, Stems, silent
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.engine import RestorationEngine
from resonate_resources.restoration.noisereduce_engine import NoisereduceEngine

CODE_VERSION = "3"
"""Raised when the algorithm changes in a way that no constant shows."""


class RestorationResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Cleans stems of noise and gives back what a narrow band took from them."""

    def recipe(self, brief: RestorationBrief) -> Recipe:
        return self._engine(brief).recipe(CODE_VERSION)

    def restore(
        self, stems: Stems, brief: RestorationBrief, into: Path, progress: Progress = silent
    ) -> Product:
        """Files <stem>.wav, of the rate, channels and length of the stems given."""
        return self._engine(brief).restore(stems, into, progress)

    def _engine(self, brief: RestorationBrief) -> RestorationEngine:
        return NoisereduceEngine(brief)
