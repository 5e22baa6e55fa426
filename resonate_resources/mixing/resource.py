"""Mixing as a resource of the graph: a plan first, then the mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_resources.mixing import mixer, planning
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.material import material_of
from resonate_resources.mixing.mixer import mix_stems
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import plan_mix, track_alone
from resonate_resources.naturalisation import naturalise
from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.naturalise import Naturalised
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Stems, silent
from resonate_resources.signal.loudness import measure_loudness

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

PLAN = "mix_plan.json"
VOICE = "vocals"

_NATURALISING = 0.9  # of the time, where it is asked for


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
                if any(brief.naturalise.values()):
                    whole_voice = "the voice is not naturalised: in the track itself it is not apart"
                    plan = plan.model_copy(update={"reasons": (*plan.reasons, whole_voice)})
            else:
                holdings = hold(stems, worth, progress)
                loudness = {name: meter.result().integrated_lufs for name, meter in metered.items()}
                plan = plan_mix(brief, material, holdings, loudness)
                plan = plan.model_copy(update={"naturalise": dict(brief.naturalise)})
        plan.write(into / PLAN)
        measures: dict[str, float | int | str | bool] = {"rough": plan.rough}
        for name, stem in plan.stems.items():
            measures[f"{name}_wished_db"] = stem.wished_db
            measures[f"{name}_gain_db"] = stem.gain_db
        return Product({PLAN: into / PLAN}, measures, plan.reasons)

    def recipe(self) -> Recipe:
        code = (mixer.__name__, naturalise.__name__)
        return Recipe.of(code, Engine("sum of stems"), version=CODE_VERSION)

    def mix(self, stems: Stems, plan: MixPlan, into: Path, progress: Progress = silent) -> Product:
        """Write mix.wav, of the stems' rate, channels and length. Raises AudioError."""
        with TemporaryDirectory(dir=into) as folder:
            voice = _voice(stems, plan, Path(folder), lambda done: progress(_NATURALISING * done))
            began = _NATURALISING if voice is not None else 0.0
            sung = {VOICE: voice.recording} if voice is not None else {}
            mix = mix_stems(
                {**stems, **sung},
                plan,
                into / "mix.wav",
                lambda done: progress(began + (1 - began) * done),
            )
        measures: dict[str, float | int | str | bool] = {
            "loudness_lufs": mix.loudness_lufs,
            "true_peak_dbtp": mix.true_peak_dbtp,
            "plain_peak_dbtp": mix.plain_peak_dbtp,
            "gain_db": mix.gain_db,
            **(voice.measures if voice is not None else {}),
        }
        for name, stem in plan.stems.items():
            if stem.loudness_lufs is not None:
                measures[f"{name}_loudness_lufs"] = stem.loudness_lufs + stem.gain_db + mix.gain_db
        turned = f"turned down by {-mix.gain_db:.1f} dB as a whole, as its peaks rose" if mix.gain_db else ""
        notes = (*(voice.notes if voice is not None else ()), turned)
        return Product({"mix.wav": mix.recording.path}, measures, tuple(filter(None, notes)))


def _voice(stems: Stems, plan: MixPlan, folder: Path, progress: Progress) -> Naturalised | None:
    """The voice as it is to be mixed, as far as it is one; None where it is left as it is."""
    amounts = Amounts(**plan.naturalise)
    if VOICE not in stems or not any(amounts):
        return None
    return naturalise.naturalise(stems[VOICE], amounts, folder, progress, part=plan.stems[VOICE].present)
