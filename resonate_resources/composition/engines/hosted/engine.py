"""MusicGen run by a service, Replicate: each stem from text, paid for, within caps that are never passed.

Nothing is sent but a stem's words (genre, instruments, tempo, key), its length and a seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from resonate_resources.composition.engines.alignment import MOST_TEMPO, aligned
from resonate_resources.composition.engines.describing import describe, played
from resonate_resources.composition.engines.hosted.client import API, KEY_VARIABLE, Replicate
from resonate_resources.composition.engines.hosted.spending import ReplicateCaps, Spending
from resonate_resources.composition.engines.levelling import as_loud
from resonate_resources.composition.engines.summing import summed
from resonate_resources.composition.plan import Plan, Stem
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.players import Playing
from resonate_resources.composition.sound.rendering import Rendered, render
from resonate_resources.models.hosted.service import Patience, ServiceError, may_be_secret, secret
from resonate_resources.models.weights import models_directory
from resonate_resources.recipe import Json
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    silent,
    write_recording,
)
from resonate_resources.signal.resampling import at_rate

RATE: Final = 48_000
VERSION: Final = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
"""Of meta/musicgen, which makes music of any length by windows of its own."""
_MODEL: Final = "stereo-large"
_LARGEST_SEED: Final = 2**32 - 1
_SHORT_S: Final = 0.5
_COMPOSED: Final = 0.1  # of the time


class MusicGenHosted:
    """Text to music: facebook/musicgen-stereo-large, at Replicate."""

    name = "musicgen-hosted"
    licence = "CC-BY-NC-4.0"
    label = "AI-generated"

    def __init__(
        self, caps: ReplicateCaps | None = None, patience: Patience | None = None, api: str = API
    ) -> None:
        """Raises AudioError where the caps in the environment are no numbers."""
        self._spending = Spending(
            models_directory() / self.name / "spent.json", caps or ReplicateCaps.from_environment()
        )
        self._patience, self._api = patience, api

    @property
    def model(self) -> str:
        return f"meta/musicgen {_MODEL}"

    def lacks(self) -> str:
        token = secret(KEY_VARIABLE)
        if not token:
            return (
                f"{self.name}: no token ({KEY_VARIABLE} is not set); replicate.com makes music for money from what "
                f"is sent there, by weights that are not for commercial use ({self.licence})"
            )
        if not may_be_secret(token):
            return f"{self.name}: what {KEY_VARIABLE} holds is no token"
        return ""

    def keyed(self) -> Mapping[str, Json]:
        return {"meta/musicgen": VERSION}

    def generate(self, plan: Plan, into: Path, seed: int, progress: Progress = silent) -> Rendered:
        """What a seed makes is up to the service. Raises ServiceError, CapReachedError, AudioError, and
        OffGridError where drums or a bass have no beat."""
        if lacking := self.lacks():
            raise ServiceError(Replicate.name, lacking)
        seconds = math.ceil(total_s(plan) * (1 + MOST_TEMPO) + 30 / plan.bpm)
        with TemporaryDirectory(dir=into) as name:
            scratch = Path(name)
            composed = render(plan, scratch, RATE, lambda done: progress(_COMPOSED * done)).stems
            playing = played(plan, composed)
            made: dict[str, Iterator[Samples] | None] = dict.fromkeys(composed)
            for number, came in enumerate(self._fetched(plan, playing, seconds, seed, scratch)):
                stem = playing[number]
                recording, late_s = aligned(came, plan, stem, scratch / f"{stem}.stretched.wav")
                made[stem] = as_loud(recording, composed[stem], late_s)
                progress(_COMPOSED + (1 - _COMPOSED) * (number + 1) / (len(playing) + 1))
            source = f"{self.name} ({self.model})"
            told: dict[str, Playing] = {
                stem: Playing(f"{self.label}: {describe(plan, stem)}", self.licence, source)
                for stem in playing
            }
            stems, mix = summed(plan, made, into, RATE)
        progress(1.0)
        return Rendered(stems, {}, mix, told)

    def _fetched(
        self, plan: Plan, playing: list[Stem], seconds: int, seed: int, scratch: Path
    ) -> Iterator[Recording]:
        """One a stem, at RATE. All are begun at once; those not fetched when one fails are cancelled."""
        minutes = seconds / 60
        with Replicate(secret(KEY_VARIABLE), self._api, self._patience) as service, ExitStack() as unfinished:
            begun = []
            for stem in playing:
                prediction = service.begin(
                    VERSION,
                    {
                        "model_version": _MODEL,
                        "prompt": describe(plan, stem),
                        "duration": seconds,
                        "output_format": "wav",
                        "normalization_strategy": "loudness",
                        "seed": seed % _LARGEST_SEED,
                    },
                    lambda: self._spending.count(minutes),
                    lambda: self._spending.give_back(minutes),
                )
                unfinished.callback(service.cancel, prediction)
                begun.append(prediction)
            for stem, prediction in zip(playing, begun, strict=True):
                file = service.fetch(service.wait(prediction), scratch / f"{stem}.download", Path)
                yield _decoded(file, stem, total_s(plan), scratch)
            unfinished.pop_all()


def _decoded(file: Path, stem: Stem, needed_s: float, scratch: Path) -> Recording:
    folder = scratch / f"{stem}.decoded"
    folder.mkdir()
    came = decode(file, folder, name=f"{stem} from Replicate").recording
    if came.duration < needed_s - _SHORT_S:
        raise AudioError(f"Replicate: made {came.duration:.1f} s of {stem}; the plan has {needed_s:.1f} s")
    frames = round(came.duration * RATE)
    with write_recording(scratch / f"{stem}.wav", RATE, came.channels, frames) as writer:
        for block in at_rate(came.blocks(), came.sample_rate, RATE, came.channels, frames):
            writer.write(block)
    return writer.recording
