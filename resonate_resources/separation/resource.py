"""Separation as the graph sees it: one setting, one call."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import dagster as dg

from resonate_resources.audio import Progress, Recording, silent
from resonate_resources.engine import Engine, Product
from resonate_resources.separation.balance import measure_balance
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.spectral.engine import SpectralSeparator

CODE_VERSION = "1"  # raised when results change


class SeparationResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Parts a track into vocals, drums, bass and other."""

    engine_name: Literal["spectral"] = "spectral"

    def engine(self) -> Engine:
        """What would run."""
        return self._separator().engine()

    def separate(self, track: Recording, into: Path, progress: Progress = silent) -> Product:
        """Write the stems of `track` into the empty directory `into`.

        Measures: the level of each stem in dBFS RMS, how deep mix − Σ stems nulls in dB re the mix, and
        the processing time over the track's length.
        """
        began = time.perf_counter()
        stems = self._separator().separate(track, into, progress)
        seconds = time.perf_counter() - began
        balance = measure_balance(track, stems)
        measures = {f"{name}_level_dbfs": level for name, level in balance.level_dbfs.items()}
        measures["null_depth_db"] = balance.null_depth_db
        if track.frames:
            measures["real_time_factor"] = seconds / track.duration
        return Product({stem.path.name: stem.path for stem in stems.values()}, measures)

    def _separator(self) -> Separator:
        return SpectralSeparator()
