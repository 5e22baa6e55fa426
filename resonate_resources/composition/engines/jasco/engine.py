"""JASCO as an engine: the plan's music in one go, from its words, chords, drums and melody.

Its weights are not for commercial use (CC-BY-NC-4.0). It makes no stems: all that it makes is `other`, brought onto
the plan's grid, or refused, and as loud as the composer's mix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from resonate_resources.composition.engines.alignment import MOST_TEMPO, aligned
from resonate_resources.composition.engines.checkpoint import INSTALL, packages_lacking
from resonate_resources.composition.engines.describing import describe_all
from resonate_resources.composition.engines.jasco.checkpoint import (
    files_missing,
    files_of,
    folder_of,
    load,
)
from resonate_resources.composition.engines.jasco.leading import Chord, Tone
from resonate_resources.composition.engines.jasco.windows import Leading, music
from resonate_resources.composition.engines.levelling import as_loud
from resonate_resources.composition.engines.summing import summed
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.players import Playing
from resonate_resources.composition.sound.rendering import Rendered, render
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Samples, silent, write_recording
from resonate_resources.signal.resampling import at_rate
from resonate_resources.signal.spelling import pitch_class

RATE: Final = 48_000
LICENCE: Final = "CC-BY-NC-4.0"
LABEL: Final = "AI-generated"
_COMPOSED, _GENERATED = 0.1, 0.9  # of the time
_ROOT: Final = re.compile(r"[A-G][b#]*")


class Jasco:
    """The largest of its checkpoints that is here, one that takes a melody before one that takes none."""

    name = "jasco"
    licence = LICENCE
    label = LABEL

    @property
    def model(self) -> str:
        folder = folder_of(models_directory())
        return folder.name if folder else ""

    def lacks(self) -> str:
        if packages := packages_lacking():
            return f"{self.name}: can't be used without {packages}: {INSTALL}"
        if missing := files_missing(models_directory()):
            return (
                f"{self.name}: not in {models_directory()}: {'; '.join(missing)}; put them there as they are "
                f"published ({self.licence}: not for commercial use)"
            )
        return ""

    def keyed(self) -> Mapping[str, Json]:
        folder = self.folder()
        return {str(path.relative_to(folder.parent)): sha256_of_weights(path) for path in files_of(folder)}

    def folder(self) -> Path:
        """Raises ModelError where something is lacking."""
        if lacking := self.lacks():
            raise ModelError(lacking)
        folder = folder_of(models_directory())
        assert folder is not None
        return folder

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress = silent) -> Rendered:
        """Raises AudioError, ModelError, and OffGridError where drums are planned and no beat is heard."""
        checkpoint = load(self.folder())
        with TemporaryDirectory(dir=into) as name:
            scratch = Path(name)
            composed = render(plan, scratch, RATE, lambda done: progress(_COMPOSED * done))
            drums = any(part.stem == "drums" for part in plan.parts)
            words = describe_all(plan)
            leading = Leading(
                words, chords_of(plan), composed.stems["drums"] if drums else None, melody_of(plan)
            )
            seconds = total_s(plan) * (1 + MOST_TEMPO) + 30 / plan.bpm
            frames = round(seconds * RATE)
            pieces = music(
                checkpoint,
                leading,
                seconds,
                seed,
                lambda done: progress(_COMPOSED + (_GENERATED - _COMPOSED) * done),
            )
            with write_recording(scratch / "music.wav", RATE, 1, frames) as writer:
                for block in at_rate(pieces, checkpoint.rate, RATE, 1, frames):
                    writer.write(block)
            stretched = scratch / "stretched.wav"
            recording, late_s = aligned(writer.recording, plan, "drums" if drums else "other", stretched)
            made: dict[str, Iterator[Samples] | None] = dict.fromkeys(composed.stems)
            made["other"] = as_loud(recording, composed.mix, late_s)
            stems, mix = summed(plan, made, into, RATE)
        progress(1.0)
        told = Playing(f"{self.label}: {words}", self.licence, f"{self.name} ({self.model})")
        return Rendered(stems, {}, mix, {"other": told})


def chords_of(plan: Plan) -> list[Chord]:
    """Its chords, in seconds."""
    return [
        Chord(
            chord.onset * 60 / plan.bpm,
            pitch_class(_root(chord.symbol)),
            frozenset(chord.pitches),
            chord.pitches[0],
        )
        for chord in plan.chords
        if chord.pitches
    ]


def melody_of(plan: Plan) -> list[Tone]:
    """Notes of its melodies, in seconds."""
    quarter_s = 60 / plan.bpm
    return [
        Tone(onset * quarter_s, (onset + length) * quarter_s, pitch)
        for part in plan.parts
        if part.role == "melody"
        for onset, length, pitch, _ in part.notes
    ]


def _root(symbol: str) -> str:
    found = _ROOT.match(symbol)
    if found is None:
        raise ModelError(f"{symbol}: is no chord")
    return found[0]
