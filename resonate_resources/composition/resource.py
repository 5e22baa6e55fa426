"""Composition as a resource of the graph: from words to a request, and from a request to stems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import dagster as dg

from resonate_resources.composition.asking import ask
from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.composition.engines.engine import CompositionEngine
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.prompt.reading import read_prompt
from resonate_resources.composition.qa import Verdict, qa_of_music
from resonate_resources.composition.request import Reading, Request, Understanding
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.composition.writing import write_plan
from resonate_resources.models.language_model import ChosenModel
from resonate_resources.recipe import Engine, Json, Product
from resonate_resources.recordings.recording import AudioError, Progress, Recording, silent

CODE_VERSION = "2"
"""Raised when the algorithm changes in a way that no constant shows."""

PLAN, REPORT, MIX, PARTS = "plan.json", "composition.json", "mix.wav", "parts/"
RETRIES: Final = 2
"""Row A5 of the requirements: up to two, with changed parameters."""
_NEXT_SEED: Final = 1_000_003  # far from what people count up by: a retry is hardly anybody's other seed


@dataclass(frozen=True)
class HeardMusic:
    """What an analysis hears in a recording. key: as "C minor"."""

    bpm: float | None
    key: str | None


Hear = Callable[[Recording], HeardMusic]


@dataclass(frozen=True)
class Wanted:
    """A prompt, what was understood of it, and what was assumed beside that."""

    prompt: str
    seed: int
    understanding: Understanding
    request: Request
    assumed: tuple[Reading, ...]

    def told(self) -> dict[str, Json]:
        """In JSON's types."""
        return {
            "prompt": self.prompt,
            "seed": self.seed,
            "understanding": self.understanding.model_dump(mode="json"),
            "assumed": [reading.model_dump(mode="json") for reading in self.assumed],
            "request": self.request.model_dump(mode="json"),
        }

    def plans(self) -> Iterator[Plan]:
        """The composition, and others in its place should it fail: of the same request with other seeds."""
        for number in range(1 + RETRIES):
            yield compose(self.request, self.seed + number * _NEXT_SEED)


class CompositionResource(dg.ConfigurableResource[None]):
    """From words to a plan by rules, and from a plan to stems by an engine.

    conductor_model, conductor_server, conductor_key_variable: see `ChosenModel`; no model: none can be asked.
    """

    conductor_model: str = ""
    conductor_server: str = ""
    conductor_key_variable: str = ""

    def understand(self, prompt: str, by_model: bool = False) -> Understanding:
        """What is asked. Raises AudioError for an empty prompt, and for a model where none is set up."""
        if not by_model:
            return read_prompt(prompt)
        if not self.conductor_model:
            raise AudioError("no language model is set up: RESONATE_CONDUCTOR_MODEL names one")
        chosen = ChosenModel(self.conductor_model, self.conductor_server, self.conductor_key_variable)
        return ask(prompt, chosen)

    def want(self, prompt: str, understanding: Understanding, seed: int) -> Wanted:
        """With all that nobody said assumed. Raises AudioError for what can't be together."""
        request, readings = complete(understanding, seed)
        assumed = tuple(reading for reading in readings if reading.how == "assumed")
        return Wanted(prompt, seed, understanding, request, assumed)

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
        where all do, the one that fails least, which is noted. engine: the composer where none is given. Raises
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
                if best is None or len(made.failed) < len(best.failed):
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

    @property
    def failed(self) -> list[str]:
        return [name for name, verdict in self.qa.items() if not verdict.passed]


def _made(plan: Plan, engine: CompositionEngine, folder: Path, hear: Hear, progress: Progress) -> _Try:
    rendered = engine.generate(plan, folder, plan.seed, progress)
    heard = hear(rendered.mix)
    return _Try(plan, folder, rendered, qa_of_music(plan, rendered.mix, heard.bpm, heard.key))


def engine_told(engine: CompositionEngine) -> Engine:
    """As recipes and manifests have it."""
    return Engine(engine.name, engine.model or None, engine.licence)


def _kept(best: _Try, engine: CompositionEngine, told: Mapping[str, Json], into: Path) -> Product:
    """Moved out of the scratch folder, with its report."""
    made = {f"{name}.wav": stem.path for name, stem in best.rendered.stems.items()}
    made[MIX] = best.rendered.mix.path
    made |= {f"{PARTS}{part.path.name}": part.path for part in best.rendered.parts.values()}
    made |= write_plan(best.plan, best.folder, f"{engine.label}, seed {best.plan.seed}")
    kept = {name: _moved(path, into / name) for name, path in made.items()}
    report = {
        "label": engine.label,
        "engine": asdict(engine_told(engine)),
        "weights": dict(engine.keyed()),
        **told,
        "plan": best.plan.model_dump(mode="json", exclude={"parts", "chords", "effects", "sections"}),
        "instruments": {name: asdict(playing) for name, playing in best.rendered.instruments.items()},
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
        },
        tuple(f"{name}: {best.qa[name].detail}" for name in best.failed),
        {REPORT: into / REPORT},
        engine_told(engine),
    )


def _moved(path: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(to)
