"""Mixing as a resource of the graph."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import dagster as dg

from resonate_resources.engine import Engine, Product
from resonate_resources.mixing.balance import BALANCE_LU
from resonate_resources.mixing.channel_strip import WORKING_LOUDNESS_LUFS
from resonate_resources.mixing.mixer import CEILING_DBTP, NEARLY_SILENT_LUFS, RAISE_BOUND_DB, Mix, mix_stems
from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Progress, Stems, silent

CODE_VERSION = "1"


class MixingResource(dg.ConfigurableResource[None]):
    """Mixes stems by loudness. conservative only levels and sums; balanced and aggressive also shape."""

    preset: Preset = "balanced"

    def engine(self) -> Engine:
        """What would mix."""
        return Engine(
            "pedalboard channel strips",
            {
                "preset": self.preset,
                "balance_lu": dict(BALANCE_LU),
                "working_loudness_lufs": WORKING_LOUDNESS_LUFS,
                "ceiling_dbtp": CEILING_DBTP,
                "raise_bound_db": RAISE_BOUND_DB,
            },
        )

    def mix(self, stems: Stems, into: Path, progress: Progress = silent) -> Product:
        """Write mix.wav, of the stems' rate, channels and length. Raises AudioError."""
        mix = mix_stems(stems, into / "mix.wav", self.preset, progress)
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
