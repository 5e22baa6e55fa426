"""ACE-Step 1.5 as engines: stems taken out of music made from words, or made one by one over what the plan has.

Its weights are MIT. Music from words is brought onto the plan's grid before stems are taken out of it, and each
stem made over the plan's after it was made; or they are refused. All are as loud as the composer has them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from resonate_resources.composition.engines.ace_pipeline import (
    LONGEST_S,
    SHORTEST_S,
    AcePipeline,
    folder_of,
    load,
    weights_of,
)
from resonate_resources.composition.engines.alignment import MOST_TEMPO, aligned, in_place
from resonate_resources.composition.engines.checkpoint import packages_lacking, seeded
from resonate_resources.composition.engines.describing import describe, describe_all, played
from resonate_resources.composition.engines.levelling import as_loud
from resonate_resources.composition.engines.summing import summed
from resonate_resources.composition.plan import Plan, Sound, Stem
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.players import Playing
from resonate_resources.composition.sound.rendering import Rendered, render
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    silent,
    write_blocks,
    write_samples,
)

RATE: Final = 48_000
_INSTALL: Final = "pip install 'resonate-studio[ace-step]'"
_HUB: Final = "ACE-Step/acestep-v15-xl-base-diffusers"
_COMPOSED: Final = 0.1  # of the time

_TRACKS: Final[Mapping[Stem, str]] = {
    "vocals": "vocals", "drums": "drums", "bass": "bass", "piano": "keyboard", "guitar": "guitar",
}  # fmt: skip
_OTHER_TRACKS: Final[Mapping[Sound, str]] = {
    "electric_piano": "keyboard", "organ": "keyboard", "accordion": "keyboard",
    "strings": "strings", "violin": "strings", "cello": "strings", "harp": "strings",
    "brass": "brass", "trumpet": "brass",
    "saxophone": "woodwinds", "flute": "woodwinds", "clarinet": "woodwinds", "harmonica": "woodwinds",
    "bells": "percussion", "marimba": "percussion", "percussion": "percussion",
    "banjo": "guitar", "sitar": "guitar", "choir": "backing_vocals",
}  # fmt: skip
"""What it was trained to call tracks; any other sound is a synth."""
_MAJOR: Final = frozenset({"major", "lydian", "mixolydian"})


class _AceStep(ABC):
    name: str
    licence = "MIT"
    label = "AI-generated"

    @property
    def model(self) -> str:
        folder = folder_of(models_directory())
        return folder.name if folder else ""

    def lacks(self) -> str:
        if packages := packages_lacking("diffusers"):
            return f"{self.name}: can't be used without {packages}: {_INSTALL}"
        if not self.model:
            return (
                f"{self.name}: no weights in {models_directory()}; put the folder of {_HUB} there, as "
                "huggingface.co has it, or another base checkpoint in diffusers' form (turbo and SFT ones make no "
                "stems)"
            )
        return ""

    def keyed(self) -> Mapping[str, Json]:
        return {
            f"{path.parent.name}/{path.name}": sha256_of_weights(path) for path in weights_of(self._folder())
        }

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress = silent) -> Rendered:
        """Raises AudioError, ModelError, and OffGridError where what has to have a beat has none."""
        seconds = total_s(plan) * (1 + MOST_TEMPO) + 30 / plan.bpm
        if seconds > LONGEST_S:
            raise AudioError(
                f"{self.name}: makes {LONGEST_S / 60:.0f} minutes at most, and the plan has {seconds / 60:.1f}"
            )
        pipeline = load(self._folder())
        with TemporaryDirectory(dir=into) as name:
            scratch = Path(name)
            composed = render(plan, scratch, RATE, lambda done: progress(_COMPOSED * done)).stems
            playing = played(plan, composed)
            caller = _Caller(pipeline, plan, max(seconds, SHORTEST_S), progress)
            with seeded(seed):
                placed = self._placed(caller, {stem: composed[stem] for stem in playing}, scratch)
            made: dict[str, Iterator[Samples] | None] = dict.fromkeys(composed)
            made |= {stem: recording.blocks() for stem, recording in placed.items()}
            source = f"{self.name} ({self.model})"
            told: dict[str, Playing] = {
                stem: Playing(f"{self.label}: {describe(plan, stem)}", self.licence, source)
                for stem in placed
            }
            stems, mix = summed(plan, made, into, RATE)
        progress(1.0)
        return Rendered(stems, {}, mix, told)

    @abstractmethod
    def _placed(
        self, caller: _Caller, composed: Mapping[Stem, Recording], scratch: Path
    ) -> Mapping[Stem, Recording]:
        """The stems that play, on the grid, as loud as those composed."""

    def _folder(self) -> Path:
        if lacking := self.lacks():
            raise ModelError(lacking)
        folder = folder_of(models_directory())
        assert folder is not None
        return folder


class AceStep(_AceStep):
    """Music from words with the plan's tempo, key and length; its stems are then taken out of it (`extract`)."""

    name = "ace-step"

    def _placed(
        self, caller: _Caller, composed: Mapping[Stem, Recording], scratch: Path
    ) -> dict[Stem, Recording]:
        caller.calls = 1 + len(composed)
        plan = caller.plan
        sound = caller("text2music", describe_all(plan), None, None)
        music = write_samples(scratch / "music.wav", sound, caller.rate)
        # All stems by one tempo and one move: they are in time with each other already.
        beat = "drums" if "drums" in composed else next(iter(composed))
        music, late_s = aligned(music, plan, beat, scratch / "stretched.wav")
        heard = caller.fitted(np.concatenate([*in_place(music, late_s)], axis=1))
        placed: dict[Stem, Recording] = {}
        for stem, like in composed.items():
            made = write_samples(
                scratch / f"{stem}.raw.wav", caller("extract", describe(plan, stem), heard, stem), caller.rate
            )
            placed[stem] = write_blocks(scratch / f"{stem}.placed.wav", as_loud(made, like, 0.0), like=made)
        return placed


class AceStepLego(_AceStep):
    """Each stem is made over the others (`lego`): those made already, and the composer's of those still to come."""

    name = "ace-step-lego"

    def _placed(
        self, caller: _Caller, composed: Mapping[Stem, Recording], scratch: Path
    ) -> dict[Stem, Recording]:
        caller.calls = len(composed)
        plan, heard, placed = caller.plan, dict(composed), dict[Stem, Recording]()
        for stem, like in composed.items():
            context = caller.fitted(np.zeros((2, 0), np.float32))
            for name, recording in heard.items():
                if name != stem:
                    context += caller.fitted(recording.read())
            sound = caller("lego", describe(plan, stem), context, stem)
            made = write_samples(scratch / f"{stem}.raw.wav", sound, caller.rate)
            made, late_s = aligned(made, plan, stem, scratch / f"{stem}.stretched.wav")
            heard[stem] = placed[stem] = write_blocks(
                scratch / f"{stem}.placed.wav", as_loud(made, like, late_s), like=made
            )
        return placed


class _Caller:
    """A plan's words and numbers to a pipeline, `calls` times."""

    def __init__(self, pipeline: AcePipeline, plan: Plan, seconds: float, progress: Progress) -> None:
        if pipeline.rate != RATE:
            raise ModelError(f"the model's rate is {pipeline.rate} Hz; only {RATE} can be used")
        self.plan, self.rate, self.calls = plan, pipeline.rate, 1
        self._pipeline, self._progress, self._done = pipeline, progress, 0
        steps = math.ceil(seconds * pipeline.rate / pipeline.step)
        self._frames = steps * pipeline.step

    def __call__(self, task: Any, text: str, heard: Samples | None, stem: Stem | None) -> Samples:
        def told(part: float) -> None:
            self._progress(_COMPOSED + (1 - _COMPOSED) * (self._done + part) / (self.calls + 1))

        track = None if stem is None else track_of(self.plan, stem)
        sound = self._pipeline.generate(
            task, text, self._frames / self.rate, metas(self.plan), heard, track, told
        )
        self._done += 1
        return sound

    def fitted(self, sound: Samples) -> Samples:
        """Stereo of just as long as everything is made; silence where it has ended."""
        sound = sound[:, : self._frames]
        return np.pad(sound, ((0, 0), (0, self._frames - sound.shape[1]))).astype(np.float32)


def track_of(plan: Plan, stem: Stem) -> str:
    """Its name as it was trained on it; of `other` that of most notes."""
    if stem in _TRACKS:
        return _TRACKS[stem]
    notes = Counter[str]()
    for part in plan.parts:
        if part.stem == stem:
            notes[_OTHER_TRACKS.get(part.sound, "synth")] += len(part.notes)
    return notes.most_common(1)[0][0]


def metas(plan: Plan) -> dict[str, Any]:
    """Tempo, key and metre in its words: it knows major and minor, and 2, 3, 4 and 6 as metres."""
    tonic, mode = plan.key.split()
    beats = plan.metre.split("/")[0]
    return {
        "bpm": round(plan.bpm),
        "keyscale": f"{tonic} {'major' if mode in _MAJOR else 'minor'}",
        "timesignature": beats if beats in ("2", "3", "4", "6") else None,
    }
