"""MusicGen and MusicGen Melody as engines: each stem from text, and from the composer's own rendering of it.

Their weights are not for commercial use (CC-BY-NC-4.0). What they make is moved onto the plan's grid, or refused,
and as loud as the composer has that stem.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import numpy as np

from resonate_resources.composition.engines.alignment import MOST_TEMPO, aligned
from resonate_resources.composition.engines.checkpoint import (
    INSTALL,
    Kind,
    folder_of,
    load,
    melody_of,
    packages_lacking,
    seeded,
)
from resonate_resources.composition.engines.chroma import CHROMA_RATE
from resonate_resources.composition.engines.continuing import Windows, continued
from resonate_resources.composition.engines.describing import describe, played
from resonate_resources.composition.engines.levelling import as_loud
from resonate_resources.composition.engines.summing import summed
from resonate_resources.composition.plan import Plan, Stem
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.players import Playing
from resonate_resources.composition.sound.rendering import Rendered, render
from resonate_resources.models.hub_folder import weights_in
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_those_here
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_recording
from resonate_resources.signal.mono import Mono
from resonate_resources.signal.resampling import at_rate

RATE: Final = 48_000
_WINDOW_S: Final = 30.0
"""As long as its authors trained it on."""
_PROMPT_S, _FADE_S = 10.0, 1.0
_COMPOSED, _GENERATED = 0.1, 0.9  # of the time


class Network(Protocol):
    """See `Checkpoint`."""

    rate: int

    def generate(
        self, texts: Sequence[str], prompts: Samples | None, frames: int, melodies: Sequence[Mono] | None, /
    ) -> Samples: ...


class MusicGen:
    """Text to music: facebook/musicgen-small, -medium or -large, the largest that is here."""

    name = "musicgen"
    licence = "CC-BY-NC-4.0"
    label = "AI-generated"
    hub = "facebook/musicgen-small, -medium or -large"
    kind: Kind = "musicgen"
    melodic = False

    @property
    def model(self) -> str:
        folder = folder_of(self.kind, models_directory())
        return folder.name if folder else ""

    def lacks(self) -> str:
        if packages := packages_lacking():
            return f"{self.name}: can't be used without {packages}: {INSTALL}"
        if not self.model:
            return (
                f"{self.name}: no weights in {models_directory()}; put the folder of {self.hub} there, as "
                f"huggingface.co has it ({self.licence}: not for commercial use)"
            )
        return ""

    def keyed(self) -> Mapping[str, Json]:
        return sha256_of_those_here(weights_in(self._folder()))

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress = silent) -> Rendered:
        """Raises AudioError, ModelError, and OffGridError where drums or a bass have no beat."""
        network = self._network()
        with TemporaryDirectory(dir=into) as name:
            scratch = Path(name)
            composed = render(plan, scratch, RATE, lambda done: progress(_COMPOSED * done)).stems
            playing = played(plan, composed)
            with seeded(seed):
                generated = self._generated(
                    network, plan, [composed[stem] for stem in playing], playing, scratch
                )
                for done in generated:
                    progress(_COMPOSED + (_GENERATED - _COMPOSED) * done)
            made: dict[str, Iterator[Samples] | None] = dict.fromkeys(composed)
            for stem in playing:
                recording = Recording.open(scratch / f"{stem}.wav")
                recording, late_s = aligned(recording, plan, stem, scratch / f"{stem}.stretched.wav")
                made[stem] = as_loud(recording, composed[stem], late_s)
            source = f"{self.name} ({self.model})"
            told: dict[str, Playing] = {
                stem: Playing(f"{self.label}: {describe(plan, stem)}", self.licence, source)
                for stem in playing
            }
            stems, mix = summed(plan, made, into, RATE)
        progress(1.0)
        return Rendered(stems, {}, mix, told)

    def _network(self) -> Network:
        return load(self._folder(), self.kind)

    def _folder(self) -> Path:
        if lacking := self.lacks():
            raise ModelError(lacking)
        folder = folder_of(self.kind, models_directory())
        assert folder is not None
        return folder

    def _generated(
        self, network: Network, plan: Plan, composed: list[Recording], stems: list[Stem], into: Path
    ) -> Iterator[float]:
        """STEM.wav of each, mono at RATE, longer than the plan by as much as aligning may take away; tells how much
        is done."""
        if not stems:
            return
        texts, rate = [describe(plan, stem) for stem in stems], network.rate
        silence = np.zeros(round(_WINDOW_S * CHROMA_RATE), np.float32)

        def window(start: int, prompt: Samples | None, frames: int) -> Samples:
            melodies = None
            if self.melodic:
                # What drums are heard as has no pitch.
                melodies = [
                    silence if stem == "drums" else melody_of(recording, start / rate, _WINDOW_S)
                    for stem, recording in zip(stems, composed, strict=True)
                ]
            return network.generate(texts, prompt, frames, melodies)

        seconds = total_s(plan) * (1 + MOST_TEMPO) + 30 / plan.bpm
        needed, frames = math.ceil(seconds * rate), round(seconds * RATE)
        windows = Windows(*(round(each * rate) for each in (_WINDOW_S, _PROMPT_S, _FADE_S)))
        pieces = continued(window, needed, windows)
        with ExitStack() as open_files:
            writers = [
                open_files.enter_context(write_recording(into / f"{stem}.wav", RATE, 1, frames))
                for stem in stems
            ]
            done = 0
            for block in at_rate(pieces, rate, RATE, len(stems), frames):
                for writer, row in zip(writers, block, strict=True):
                    writer.write(row[np.newaxis])
                done += block.shape[1]
                yield done / frames


class MusicGenMelody(MusicGen):
    """The same, led by the pitch classes of the composer's stem: facebook/musicgen-melody or -large."""

    name = "musicgen-melody"
    hub = "facebook/musicgen-melody or -melody-large"
    kind: Kind = "musicgen_melody"
    melodic = True
