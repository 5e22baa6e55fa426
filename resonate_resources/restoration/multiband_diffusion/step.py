"""A recording sung or played again from a codec's tokens by MultiBandDiffusion, in a worker of its own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources import models
from resonate_resources.models.weights import (
    ModelError,
    ModelFile,
    fetch,
    models_directory,
    sha256_of_weights,
    why_missing,
)
from resonate_resources.models.workers.client import Worker, WorkerError
from resonate_resources.models.workers.environments import AUDIOCRAFT
from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import Progress, Recording, write_recording
from resonate_resources.restoration.multiband_diffusion.work import VERSION
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal import resampling

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
WORKER = Worker(
    AUDIOCRAFT,
    f"{__package__}.work.PolishingWork",
    (
        *sorted(Path(__file__).parent.glob("*.py")),
        *sorted(Path(models.__path__[0]).glob("*.py")),
        Path(resampling.__file__),
    ),
)

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

    @property
    def engine(self) -> Engine:
        return Engine(
            "multiband-diffusion", "facebook/multiband-diffusion", "MIT (code), CC-BY-NC-4.0 (weights)"
        )

    @property
    def settings(self) -> dict[str, Json]:
        """What a result depends on besides code, kind and preset: hashes of the weights that are here."""
        paths = [_directory() / file.name for file in self._files]
        hashes: dict[str, Json] = {path.name: sha256_of_weights(path) for path in paths if path.is_file()}
        return {"audiocraft": VERSION, "kbps": self._kbps, "weights_sha256": hashes}

    def unavailable(self) -> str | None:
        return WORKER.available() or why_missing(self._files, _directory())

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """The networks (4.7 GB) are fetched at first use. Raises ModelError where they can't be had, AudioError."""
        strictness = _STRICTNESS.get(facts.kind, _STRICTNESS_OF_OTHERS)
        with TemporaryDirectory(dir=path.parent) as scratch:
            change = self._change(recording, strictness, Path(scratch), progress)
            if not any(block.any() for block in change.blocks()):
                return Mended(recording, "nothing is heard in it")
            share = np.float32(_SHARE[preset])
            with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
                for block, more in zip(recording.blocks(), change.blocks(), strict=True):
                    writer.write(block + share * more)
        note = f"{_SHARE[preset]:.0%} decoded anew from {self._kbps:g} kbit/s, bands moved back by {strictness:.0%}"
        return Mended(writer.recording, note)

    @property
    def _files(self) -> tuple[ModelFile, ...]:
        return *CODEC, DIFFUSION[self._kbps]

    def _change(self, recording: Recording, strictness: float, into: Path, progress: Progress) -> Recording:
        for file in self._files:
            if not (_directory() / file.name).is_file():
                fetch(file, _directory())
        job: dict[str, Json] = {
            "codec": str(_directory().absolute()),
            "diffusion": str((_directory() / DIFFUSION[self._kbps].name).absolute()),
            "kbps": self._kbps,
            "strictness": strictness,
            "track": str(recording.path.absolute()),
            "into": str(into.absolute()),
        }
        try:
            WORKER.run(job, progress)
        except WorkerError as error:
            if error.kind in ("AudioError", "DestinationError"):
                raise
            named = "multiband-diffusion: " if error.kind not in ("", "ModelError") else ""
            raise ModelError(f"{named}{error}") from error
        return Recording.open(into / "change.wav")


def _directory() -> Path:
    return models_directory() / "multiband-diffusion"
