"""A recording sung or played again from a codec's tokens by MultiBandDiffusion, in a worker of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from resonate_resources.models.weights import ModelError, ModelFile
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import AUDIOCRAFT
from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import Progress, Recording, write_blocks
from resonate_resources.restoration.by_worker import NOTHING_HEARD, made_of
from resonate_resources.restoration.multiband_diffusion.work import VERSION
from resonate_resources.restoration.step import Facts, Mended, StepName

_HUB = "https://huggingface.co/facebook"
CODEC = tuple(
    ModelFile(f"{_HUB}/encodec_24khz/resolve/main/{name}", "")
    for name in ("config.json", "model.safetensors")
)
DIFFUSION: dict[float, ModelFile] = {
    kbps: ModelFile(f"{_HUB}/multiband-diffusion/resolve/main/mbd_comp_{codebooks}.pt", "")
    for kbps, codebooks in ((1.5, 2), (3.0, 4), (6.0, 8))
}
"""As `MultiBandDiffusion.get_mbd_24khz` of audiocraft 1.3.0 names them. No hashes are published."""
WORKER = Worker(AUDIOCRAFT, f"{__package__}.work.PolishingWork")

_STRICTNESS = {"vocals": 0.9}
_STRICTNESS_OF_OTHERS = 0.8
"""How far bands are moved to the levels that they had: requirement R8."""
_SHARE: dict[Preset, float] = {"conservative": 0.25, "balanced": 0.5, "aggressive": 1.0}
"""Of what polishing changes, by judgement: its phases are others than the recording's."""


class MultiBandDiffusion:
    """`polish`. Above 12 kHz, which the codec does not reach, nothing changes."""

    name: StepName = "polish"

    def __init__(self, kbps: float = 6.0) -> None:
        """kbps: of EnCodec's tokens, 1.5, 3 or 6; the fewer, the more is made up, and the less damage carried over.

        Raises ModelError at others.
        """
        if kbps not in DIFFUSION:
            raise ModelError(f"multiband-diffusion: has nothing for {kbps:g} kbit/s; it has 1.5, 3 and 6")
        self._kbps = kbps
        self._model = HubModel("multiband-diffusion", WORKER, (*CODEC, DIFFUSION[kbps]))

    @property
    def engine(self) -> Engine:
        return Engine(
            "multiband-diffusion", "facebook/multiband-diffusion", "MIT (code), CC-BY-NC-4.0 (weights)"
        )

    @property
    def settings(self) -> dict[str, Json]:
        return {
            "audiocraft": VERSION,
            "kbps": self._kbps,
            "weights_sha256": self._model.weights_sha256(),
        }

    def unavailable(self) -> str | None:
        return self._model.unavailable()

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """The networks (4.7 GB) are fetched at first use. Raises ModelError where they can't be had, AudioError."""
        strictness = _STRICTNESS.get(facts.kind, _STRICTNESS_OF_OTHERS)
        job: dict[str, Json] = {
            "codec": str(self._model.directory),
            "diffusion": str(self._model.directory / DIFFUSION[self._kbps].name),
            "kbps": self._kbps,
            "strictness": strictness,
        }
        with made_of(recording, self._model, "change.wav", job, path, progress) as change:
            if change is None:
                return Mended(recording, NOTHING_HEARD)
            share = np.float32(_SHARE[preset])
            pairs = zip(recording.blocks(), change.blocks(), strict=True)
            mended = write_blocks(path, (block + share * more for block, more in pairs), like=recording)
        note = f"{_SHARE[preset]:.0%} decoded anew from {self._kbps:g} kbit/s, bands moved back by {strictness:.0%}"
        return Mended(mended, note)
