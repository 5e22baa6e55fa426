"""Mixing as a resource of the graph: a plan first, then the mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_resources.mixing import mixer, planning, processors
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.conductor import agent
from resonate_resources.mixing.conductor.agent import ModelAgent
from resonate_resources.mixing.holdings import Worth, hold
from resonate_resources.mixing.material import TrackFacts, material_of
from resonate_resources.mixing.mixer import mix_stems
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.planning import ASTRAY_DB, plan_mix, track_alone
from resonate_resources.mixing.processors import low_end_of, with_processors
from resonate_resources.mixing.towards import Towards, heard, heard_together, towards
from resonate_resources.models.language_model import ChosenModel
from resonate_resources.naturalisation import naturalise
from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.naturalise import Naturalised
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.named_file import NamedFile
from resonate_resources.recordings.recording import AudioError, Progress, Recording, Stems, silent
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.moves_chart import moves
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.phase import phase_beside
from resonate_resources.signal.summing import alike_in_shape, null_depth

CODE_VERSION = "10"
"""Raised when the algorithm changes in a way that no constant shows."""

PLAN, PICTURE = "mix_plan.json", "picture.png"
VOICE = "vocals"

_NATURALISING = 0.9  # of the time, where it is asked for


class MixingResource(dg.ConfigurableResource[None]):
    """Moves stems as far as it is asked, and no further than they are worth.

    conductor_model, conductor_server, conductor_key_variable: see `ChosenModel`; no model: none can be asked for.
    """

    conductor_model: str = ""
    conductor_server: str = ""
    conductor_key_variable: str = ""

    def plan_recipe(self, brief: MixingBrief) -> Recipe:
        """With the reference by its content. A model is keyed with its name, what it is told, and the wish, which
        nobody else reads. Raises AudioError where the reference can't be read."""
        reference = _reference(brief)
        asked = brief.asked() | {"reference": None} | (reference.ingredients() if reference else {})
        planned_by = planning.__name__, processors.__name__
        if brief.conductor == "model":
            engine = Engine("model", self.conductor_model or None)
            return Recipe.of((*planned_by, agent.__name__), engine, asked, CODE_VERSION)
        asked["wish"] = ""
        return Recipe.of(planned_by, Engine("rules"), asked, CODE_VERSION)

    def plan(
        self,
        stems: Stems,
        worth: Mapping[str, Sequence[Worth]],
        track: TrackFacts,
        brief: MixingBrief,
        into: Path,
        progress: Progress = silent,
    ) -> Product:
        """Write mix_plan.json. worth: of the stems, by window. track: the one they are stems of, as its profile has
        it.

        For the brief's "master-only", stems are the track alone. Raises AudioError.
        """
        plan = self._plan(stems, worth, track, brief, into, progress)
        plan.write(into / PLAN)
        (into / PICTURE).write_bytes(_picture(plan))
        measures: dict[str, float | int | str | bool] = {
            "rough": plan.rough,
            "conducted_by": plan.conducted_by,
            "moves_kept": sum(move.outcome == "kept" for move in plan.moves),
            "moves_tried": len(plan.moves),
        }
        for name, stem in plan.stems.items():
            measures[f"{name}_wished_db"] = stem.wished_db
            measures[f"{name}_gain_db"] = stem.gain_db
        return Product({PLAN: into / PLAN}, measures, plan.reasons, {PICTURE: into / PICTURE})

    def recipe(self) -> Recipe:
        code = (mixer.__name__, naturalise.__name__)
        return Recipe.of(code, Engine("sum of stems"), version=CODE_VERSION)

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
        if original is not None:
            measures |= asdict(phase_beside(mix.recording, original))
            if alike_in_shape(mix.recording, original):
                measures["null_depth_db"] = null_depth([mix.recording], original)
        for name, stem in plan.stems.items():
            if stem.loudness_lufs is not None:
                measures[f"{name}_loudness_lufs"] = stem.loudness_lufs + stem.gain_db + mix.gain_db
        turned = f"turned down by {-mix.gain_db:.1f} dB as a whole, as its peaks rose" if mix.gain_db else ""
        naturalised = voice.notes if voice is not None else ()
        if any(plan.naturalise.values()) and not naturalised:
            naturalised = ("nothing to naturalise: there is no voice, or hardly one",)
        notes = (*naturalised, turned)
        return Product({"mix.wav": mix.recording.path}, measures, tuple(filter(None, notes)))

    def _plan(
        self,
        stems: Stems,
        worth: Mapping[str, Sequence[Worth]],
        track: TrackFacts,
        brief: MixingBrief,
        into: Path,
        progress: Progress,
    ) -> MixPlan:
        material = material_of(track)
        with ThreadPoolExecutor(2) as pool:
            metered = {name: pool.submit(measure_loudness, stem) for name, stem in stems.items()}
            if brief.balance == "master-only":
                (whole,) = metered.values()
                return track_alone(material, whole.result().integrated_lufs, any(brief.naturalise.values()))
            holdings = hold(stems, worth, progress)
            loudness = {name: meter.result().integrated_lufs for name, meter in metered.items()}
        reference = _towards(stems, brief, track, into)
        seconds = next(iter(stems.values())).duration
        plan = plan_mix(brief, material, holdings, loudness, reference, self._agent(), seconds)
        lows = low_end_of(stems) if brief.mono_bass else None
        plan = with_processors(plan, brief, holdings, ASTRAY_DB[brief.preset], lows)
        return plan.model_copy(update={"naturalise": dict(brief.naturalise)})

    def _agent(self) -> ModelAgent | None:
        if not self.conductor_model:
            return None
        return ModelAgent(
            ChosenModel(self.conductor_model, self.conductor_server, self.conductor_key_variable)
        )


def _reference(brief: MixingBrief) -> NamedFile | None:
    if brief.balance != "reference":
        return None
    if not brief.reference:
        raise AudioError("mixing.balance=reference: no recording is named; set mixing.reference to its path")
    return NamedFile("mixing.reference", Path(brief.reference))


def _towards(stems: Stems, brief: MixingBrief, track: TrackFacts, into: Path) -> Towards | None:
    reference = _reference(brief)
    if reference is None:
        return None
    with TemporaryDirectory(dir=into) as scratch:
        recording = reference.decoded(Path(scratch))
        return towards(*heard_together(stems), heard(recording), track.sections)


def _voice(stems: Stems, plan: MixPlan, folder: Path, progress: Progress) -> Naturalised | None:
    """The voice as it is to be mixed, as far as it is one; None where it is left as it is."""
    amounts = Amounts(**plan.naturalise)
    if VOICE not in stems or not any(amounts):
        return None
    return naturalise.naturalise(stems[VOICE], amounts, folder, progress, part=plan.stems[VOICE].present)


def _picture(plan: MixPlan) -> bytes:
    tones = {name: stem.tone_db for name, stem in plan.stems.items()} | {
        "all": plan.tone_db,
        "width of all": plan.width_db,
    }
    return moves(
        {name: (stem.wished_db, stem.gain_db) for name, stem in plan.stems.items()},
        {name: tone for name, tone in tones.items() if any(tone)},
        OCTAVES_HZ,
        plan.reasons,
    )
