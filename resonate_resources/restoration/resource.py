"""Restoration as a resource: which engine, how strongly."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from resonate_resources.engine import Engine, Product
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Progress, Stems, silent
from resonate_resources.restoration.engine import RestorationEngine
from resonate_resources.restoration.noisereduce_engine import NoisereduceEngine

CODE_VERSION = "2"


class RestorationResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Cleans stems of noise and gives back what a narrow band took from them.

    preset: how much of the noise goes, and how loud what is put back may be.
    """

    preset: Preset = "balanced"

    def engine(self) -> Engine:
        return self._engine().engine()

    def restore(self, stems: Stems, into: Path, progress: Progress = silent) -> Product:
        """Files <stem>.wav, of the rate, channels and length of the stems given."""
        return self._engine().restore(stems, into, progress)

    def _engine(self) -> RestorationEngine:
        return NoisereduceEngine(self.preset)
