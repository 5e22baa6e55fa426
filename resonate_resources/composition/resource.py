"""Composition as a resource of the graph: from words to a request, and from a request to stems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import dagster as dg
import numpy as np

from resonate_resources.composition import anew
from resonate_resources.composition.asking import ask
from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.choosing import choose, is_styled
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.composition.engines.engine import CompositionEngine, StyledEngine
from resonate_resources.composition.engines.jasco.engine import Jasco
from resonate_resources.composition.engines.jasco.recording import HeardRecording, MadeByJasco
from resonate_resources.composition.engines.style.conditioner import HEARD_RATE
from resonate_resources.composition.engines.style.engine import excerpt_of
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.composition.labels import sounds_told
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.prompt.reading import read_prompt
from resonate_resources.composition.qa import Verdict, qa_of_music, similarity_verdict
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.request import Asked, Reading, Request, Understanding
from resonate_resources.composition.sound.recorded_sounds import RecordedSounds
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.composition.stating import state
from resonate_resources.composition.writing import planned_music_of, score_of, write_plan
from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.planned_music import PlannedMusic
from resonate_resources.recordings.recording import AudioError, Progress, Recording, silent, write_samples
from resonate_resources.recordings.score import Score
from resonate_resources.signal.song_similarity import Similarity

CODE_VERSION = "4"
"""Raised when the algorithm changes in a way that no constant shows."""

PLAN, REPORT, MIX, PARTS = "plan.json", "composition.json", "mix.wav", "parts/"
REQUEST = "request.json"
REFERENCE, STYLE, SOUNDS = "reference.json", "style.wav", "sounds/"
"""Of a reference, where there is one: see `HeardReference`; SOUNDS: its own, see `RecordedSounds`."""
RETRIES: Final = 2
"""Row A5 of the requirements: up to two, with changed parameters."""
_NEXT_SEED: Final = 1_000_003  # far from what people count up by: a retry is hardly anybody's other seed


@dataclass(frozen=True)
class HeardMusic:
    """What an analysis hears in a recording. key: as "C minor". similarity: to a reference, where there is one."""

    bpm: float | None
    key: str | None
    similarity: Similarity | None = None


Hear = Callable[[Recording], HeardMusic]


class Written(Protocol):
    """What somebody wrote down to have it composed: see ingestion's `Words`."""

    @property
    def prompt(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def asked(self) -> Mapping[str, Json]: ...
    @property
    def engine(self) -> str: ...
    @property
    def by_model(self) -> bool: ...
    @property
    def plan(self) -> Mapping[str, Json] | None: ...


@dataclass(frozen=True)
class Wanted:
    """A prompt, what was understood of it, what is from a reference, and what was assumed beside that."""

    prompt: str
    seed: int
    understanding: Understanding
    request: Request
    assumed: tuple[Reading, ...]
    heard: tuple[Reading, ...] = ()
    reference: Reference | None = None

    def told(self) -> dict[str, Json]:
        """In JSON's types. reference, from_reference: only where there is one."""
        told: dict[str, Json] = {}
        if self.reference:
            told["reference"] = self.reference.model_dump(mode="json")
            told["from_reference"] = [reading.model_dump(mode="json") for reading in self.heard]
        return {
            "prompt": self.prompt,
            "seed": self.seed,
            "understanding": self.understanding.model_dump(mode="json"),
            **told,
            "assumed": [reading.model_dump(mode="json") for reading in self.assumed],
            "request": self.request.model_dump(mode="json"),
        }

    def plans(self) -> Iterator[Plan]:
        """See `plans_of`."""
        return plans_of(self.request, self.seed)


def plans_of(request: Request, seed: int) -> Iterator[Plan]:
    """The composition, and others in its place should it fail: of the same request with other seeds."""
    for number in range(1 + RETRIES):
        yield compose(request, seed + number * _NEXT_SEED)


class CompositionResource(dg.ConfigurableResource[None]):
    """From words to a plan by rules, and from a plan to stems by an engine.

    conductor_model, conductor_server, conductor_key_variable: see `ChosenModel`; no model: none can be asked.
    """

    conductor_model: str = ""
    conductor_server: str = ""
    conductor_key_variable: str = ""

    def understand(self, prompt: str, by_model: bool = False, alone: bool = False) -> Understanding:
        """What is asked. alone: nothing needs to be, as something beside the prompt tells what is wanted. Raises
        AudioError for an empty prompt, and for a model where none is set up."""
        if alone and not prompt.strip():
            return Understanding(asked=Asked(reference_name=None))
        if not by_model:
            return read_prompt(prompt)
        if not self.conductor_model:
            raise AudioError("no language model is set up: RESONATE_CONDUCTOR_MODEL names one")
        chosen = ChosenModel(self.conductor_model, self.conductor_server, self.conductor_key_variable)
        return ask(prompt, chosen)

    def want(
        self, prompt: str, understanding: Understanding, seed: int, reference: Reference | None = None
    ) -> Wanted:
        """With all that nobody said as in the reference, where there is one, or assumed. Raises AudioError for what
        can't be together."""
        request, readings = complete(understanding, seed, reference)
        heard, assumed = (
            tuple(each for each in readings if each.how == how) for how in ("reference", "assumed")
        )
        return Wanted(prompt, seed, understanding, request, assumed, heard, reference)

    def compose(
        self,
        written: Written,
        title: str,
        into: Path,
        reference: HeardReference | None = None,
        recording: Recording | None = None,
    ) -> Product:
        """`request.json`: what was understood and assumed; `plan.json`: the piece; `reference.json`: what was
        heard of the recording in whose style it is; `style.wav`: what an engine hears of it that does so. Raises
        AudioError for what can't be."""
        if written.plan is not None:
            plan = Plan.parse(json.dumps(written.plan), PLAN)
            told: dict[str, Json] = {"prompt": "", "seed": plan.seed}
            notes: tuple[str, ...] = ("played as the plan that was given",)
        else:
            alone = bool(written.asked or reference)
            read = self.understand(written.prompt, written.by_model, alone)
            heard = reference.reference if reference else None
            wanted = self.want(written.prompt, state(read, written.asked), written.seed, heard)
            plan, told, notes = next(wanted.plans()), wanted.told(), _notes(wanted)
        told |= {"title": title, "engine": written.engine}
        (into / REQUEST).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
        plan.write(into / PLAN)
        files = {REQUEST: into / REQUEST, PLAN: into / PLAN}
        if reference:
            files[REFERENCE] = into / REFERENCE
            reference.write(files[REFERENCE])
        if recording and is_styled(written.engine):
            files[STYLE] = write_samples(into / STYLE, excerpt_of(recording)[np.newaxis], HEARD_RATE).path
        measures = {"genre": plan.genre, "bpm": plan.bpm, "key": plan.key, "bars": plan.bars}
        return Product(files, measures, notes)

    def recipe(self, request: Path, style: Path | None = None) -> Recipe:
        """Of what `generate_from` does. Raises ModelError where its engine can't run."""
        engine = _engine(json.loads(request.read_text("utf-8"))["engine"], style)
        return Recipe.of(__name__, engine_told(engine), {"weights": dict(engine.keyed())}, CODE_VERSION)

    def generate_from(
        self,
        request: Path,
        plan: Path,
        into: Path,
        hear: Hear,
        progress: Progress = silent,
        style: Path | None = None,
        sounds: Path | None = None,
    ) -> Product:
        """Stems, parts, MIDI and report of what `compose` wrote. See `generate`. sounds: the folder of those of the
        reference, by which the composer plays what they can play."""
        told = json.loads(request.read_text("utf-8"))
        plans: Iterator[Plan] = iter([Plan.read(plan)])
        if "request" in told:  # a plan that was given is played as it is, or fails
            others = plans_of(Request.model_validate(told["request"]), told["seed"])
            plans = chain(plans, islice(others, 1, None))
        engine = _engine(told["engine"], style)
        if sounds and isinstance(engine, Composer):
            engine.play_by(RecordedSounds.read(sounds, told["reference"]["name"]))
        made = self.generate(plans, told, into, hear, progress, engine)
        files = {name: path for name, path in made.files.items() if name != MIX}
        label = json.loads(made.reports[REPORT].read_text("utf-8"))["label"]
        return replace(made, files=files, notes=(label, *made.notes))

    def score(self, plan: Path) -> Score:
        """What `generate_from` kept as its plan, as notes by stem."""
        return score_of(Plan.read(plan))

    def planned_music(self, plan: Path) -> PlannedMusic:
        """Of that plan: tempo, beats, metre, key and sections."""
        return planned_music_of(Plan.read(plan))

    def recipe_anew(self, share: float) -> Recipe:
        """Of what `make_anew` does."""
        return Recipe.of(anew.__name__, Engine("instruments"), {"share": share}, anew.CODE_VERSION)

    def make_anew(
        self, restored: Recording, rebuilt: Recording, share: float, why: str, into: Path
    ) -> Product:
        """A recording's music, by instruments that play its notes. See `anew.made_anew`."""
        return anew.made_anew(restored, anew.PlayedAnew(rebuilt), share, why, into)

    def lacks_for_anew(self) -> str:
        """What keeps JASCO from running here, and what to do, in one line; "" where nothing does."""
        return Jasco().lacks()

    def recipe_anew_by_model(self, share: float) -> Recipe:
        """Of what `make_anew_by_model` does. Raises ModelError where something is lacking."""
        engine = Jasco()
        settings: dict[str, Json] = {"share": share, "weights": dict(engine.keyed())}
        code = (anew.__name__, MadeByJasco.__module__)
        return Recipe.of(code, engine_told(engine), settings, anew.CODE_VERSION)

    def make_anew_by_model(
        self, restored: Recording, heard: HeardRecording, share: float, why: str, into: Path
    ) -> Product:
        """The same by JASCO, from what was heard in it."""
        return anew.made_anew(restored, MadeByJasco(Jasco(), heard), share, why, into)

    def generate(
        self,
        plans: Iterable[Plan],
        told: Mapping[str, Json],
        into: Path,
        hear: Hear,
        progress: Progress = silent,
        engine: CompositionEngine | None = None,
    ) -> Product:
        """A WAV a stem and, of the composer's, a part, their sum, MIDI, the plan, and a report that begins with
        what is told.

        Of the plans the first in whose sound its own tempo and key are heard, and that does not fail otherwise;
        where all do, the one that fails least, of those that do so alike the one most similar to a reference, which
        is noted. engine: the composer where none is given. Raises
        AudioError, and OffGridError where no plan's stems could be brought onto its grid.
        """
        engine = engine or Composer()
        best: _Try | None = None
        refused: OffGridError | None = None
        tried = 0
        with TemporaryDirectory(dir=into) as scratch:
            for plan in plans:
                folder = Path(scratch) / str(tried)
                folder.mkdir()
                tried += 1
                try:
                    made = _made(plan, engine, folder, hear, progress)
                except OffGridError as error:
                    refused = error
                    continue
                if best is None or made.worth > best.worth:
                    best, worse = made, best
                else:
                    worse = made
                if worse is not None:
                    shutil.rmtree(worse.folder)  # a gigabyte for a few minutes
                if not best.failed:
                    break
            if best is None:
                raise refused or AudioError("no plan was given")
            return _kept(best, engine, {**told, "tries": tried}, into)


@dataclass(frozen=True)
class _Try:
    plan: Plan
    folder: Path
    rendered: Rendered
    qa: Mapping[str, Verdict]
    similarity: float

    @property
    def worth(self) -> tuple[int, float]:
        return -len(self.failed), self.similarity

    @property
    def failed(self) -> list[str]:
        return [name for name, verdict in self.qa.items() if not verdict.passed]


def _engine(name: str, style: Path | None) -> CompositionEngine:
    engine = choose(name, referenced=style is not None)
    if style and isinstance(engine, StyledEngine):
        engine.reference = Recording.open(style)
    return engine


def _made(plan: Plan, engine: CompositionEngine, folder: Path, hear: Hear, progress: Progress) -> _Try:
    rendered = engine.generate(plan, folder, plan.seed, progress)
    heard = hear(rendered.mix)
    qa = qa_of_music(plan, rendered.mix, heard.bpm, heard.key)
    if heard.similarity:
        qa["similarity"] = similarity_verdict(heard.similarity)
    return _Try(plan, folder, rendered, qa, heard.similarity.total if heard.similarity else 0.0)


def _notes(wanted: Wanted) -> tuple[str, ...]:
    """What a person should know of how words were read, a line each."""
    read, understood = wanted.assumed, wanted.understanding
    assumed, heard = (
        ", ".join(f"{each.field.replace('_', ' ')} {each.value}" for each in readings)
        for readings in (read, wanted.heard)
    )
    return (
        *(
            f"{field}: what is said contradicts itself, and was left out"
            for field in understood.contradictory
        ),
        *([f"not understood: {', '.join(understood.not_understood)}"] if understood.not_understood else []),
        *understood.remarks,
        *([f"in the style of {wanted.reference.name}"] if wanted.reference else []),
        *(wanted.reference.remarks if wanted.reference else ()),
        *([f"from it: {heard}"] if heard else []),
        *([f"assumed: {assumed}"] if assumed else []),
    )


def engine_told(engine: CompositionEngine) -> Engine:
    """As recipes and manifests have it."""
    return Engine(engine.name, engine.model or None, engine.licence)


def _kept(best: _Try, engine: CompositionEngine, told: Mapping[str, Json], into: Path) -> Product:
    """Moved out of the scratch folder, with its report."""
    made = {f"{name}.wav": stem.path for name, stem in best.rendered.stems.items()}
    made[MIX] = best.rendered.mix.path
    made |= {f"{PARTS}{part.path.name}": part.path for part in best.rendered.parts.values()}
    instruments = {name: asdict(playing) for name, playing in best.rendered.instruments.items()}
    sounds = sounds_told(instruments)
    label = f"{engine.label}, with sounds of a recording" if sounds else engine.label
    made |= write_plan(best.plan, best.folder, f"{label}, seed {best.plan.seed}")
    kept = {name: _moved(path, into / name) for name, path in made.items()}
    report = {
        **told,
        "label": label,
        **({"sounds": sounds} if sounds else {}),
        "engine": asdict(engine_told(engine)),
        "weights": dict(engine.keyed()),
        "plan": best.plan.model_dump(mode="json", exclude={"parts", "chords", "effects", "sections"}),
        "instruments": instruments,
        "qa": {name: asdict(verdict) for name, verdict in best.qa.items()},
    }
    (into / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    return Product(
        kept,
        {
            "bpm": best.plan.bpm,
            "key": best.plan.key,
            "bars": best.plan.bars,
            "failed": ", ".join(best.failed),
            **({"similarity": best.similarity} if "similarity" in best.qa else {}),
        },
        (*(f"{name}: {best.qa[name].detail}" for name in best.failed), *([sounds] if sounds else [])),
        {REPORT: into / REPORT},
        engine_told(engine),
    )


def _moved(path: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(to)
