"""Mixing as a resource of the graph: a plan first, then the mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from resonate_resources.mixing import mixer, planning
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.material import material_of
from resonate_resources.mixing.mixer import mix_stems
from resonate_resources.mixing.moves import low_end_of, with_moves
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import ASTRAY_DB, plan_mix, track_alone
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, silent
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.phase import phase_beside

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

PLAN = "mix_plan.json"


class MixingResource(dg.ConfigurableResource[None]):
    """Moves stems as far as it is asked, and no further than they are worth."""

    def plan_recipe(self, brief: MixingBrief) -> Recipe:
        return Recipe.of(planning.__name__, Engine("rules"), brief.asked(), CODE_VERSION)

    def plan(
        self,
        stems: Stems,
        worth: Mapping[str, Sequence[Worth]],
        bandwidth_hz: float,
        octaves_db: Sequence[float],
        brief: MixingBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write mix_plan.json. worth: of the stems, by window. bandwidth_hz and octaves_db: of the track, as its
        profile has them.

        For the brief's "master-only", stems are the track alone. Raises AudioError.
        """
        material = material_of(bandwidth_hz, octaves_db)
        with ThreadPoolExecutor(2) as pool:
            metered = {name: pool.submit(measure_loudness, stem) for name, stem in stems.items()}
            if brief.balance == "master-only":
                (whole,) = metered.values()
                plan = track_alone(material, whole.result().integrated_lufs)
            else:
                holdings = hold(stems, worth, progress)
                loudness = {name: meter.result().integrated_lufs for name, meter in metered.items()}
                plan = plan_mix(brief, material, holdings, loudness)
                lows = low_end_of(stems) if brief.mono_bass else None
                plan = with_moves(plan, brief, holdings, ASTRAY_DB[brief.preset], lows)
        plan.write(into / PLAN)
        measures: dict[str, float | int | str | bool] = {"rough": plan.rough}
        for name, stem in plan.stems.items():
            measures[f"{name}_wished_db"] = stem.wished_db
            measures[f"{name}_gain_db"] = stem.gain_db
        return Product({PLAN: into / PLAN}, measures, plan.reasons)

    def recipe(self) -> Recipe:
        return Recipe.of(mixer.__name__, Engine("sum of stems"), version=CODE_VERSION)

    def mix(
        self,
        stems: Stems,
        plan: MixPlan,
        into: Path,
        progress: Progress = silent,
        original: Recording | None = None,
    ) -> Product:
        """Write mix.wav, of the stems' rate, channels and length. original: the track, if there is one, beside
        which phase is measured. Raises AudioError."""
        mix = mix_stems(stems, plan, into / "mix.wav", progress)
        measures: dict[str, float | int | str | bool] = {
            "loudness_lufs": mix.loudness_lufs,
            "true_peak_dbtp": mix.true_peak_dbtp,
            "plain_peak_dbtp": mix.plain_peak_dbtp,
            "gain_db": mix.gain_db,
        }
        if original is not None:
            measures |= asdict(phase_beside(mix.recording, original))
        for name, stem in plan.stems.items():
            if stem.loudness_lufs is not None:
                measures[f"{name}_loudness_lufs"] = stem.loudness_lufs + stem.gain_db + mix.gain_db
        turned = f"turned down by {-mix.gain_db:.1f} dB as a whole, as its peaks rose" if mix.gain_db else ""
        return Product({"mix.wav": mix.recording.path}, measures, tuple(filter(None, (turned,))))
