"""Mixing as a resource of the graph."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import dagster as dg

from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.mixer import NEARLY_SILENT_LUFS, RAISE_BOUND_DB, Mix, mix_stems
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Stems, silent

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""


class MixingResource(dg.ConfigurableResource[None]):
    """Mixes stems by loudness. conservative only levels and sums; balanced and aggressive also shape."""

    def recipe(self, brief: MixingBrief) -> Recipe:
        return Recipe.of(__name__, Engine("pedalboard channel strips"), brief.asked(), CODE_VERSION)

    def mix(self, stems: Stems, brief: MixingBrief, into: Path, progress: Progress = silent) -> Product:
        """Write mix.wav, of the stems' rate, channels and length. Raises AudioError."""
        mix = mix_stems(stems, into / "mix.wav", brief.preset, progress, brief.wished_lu())
        measures: dict[str, float | int | str | bool] = {
            "loudness_lufs": mix.loudness_lufs,
            "true_peak_dbtp": mix.true_peak_dbtp,
        }
        for name, stem in mix.stems.items():
            measures |= {f"{name}_{measure}": value for measure, value in asdict(stem).items()}
        progress(1.0)
        return Product({"mix.wav": mix.recording.path}, measures, _notes(mix))


def _notes(mix: Mix) -> tuple[str, ...]:
    left = [name for name, stem in mix.stems.items() if not stem.levelled]
    if not left:
        return ()
    return (
        f"not raised to their place in the balance, since there is next to nothing in them "
        f"(under {NEARLY_SILENT_LUFS:g} LUFS, or more than {RAISE_BOUND_DB:g} dB to go): {', '.join(left)}",
    )
