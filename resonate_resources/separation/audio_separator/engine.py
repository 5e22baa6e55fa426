"""RoFormer, MDX-Net and VR models, as audio-separator has them, in an environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import resonate_resources.models.workers
from resonate_resources import models
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.models.workers.client import Worker, WorkerError
from resonate_resources.recipe import Engine, Json, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.separation.audio_separator.model_files import files_of, why_missing
from resonate_resources.signal import resampling

Name = Literal["roformer", "uvr"]
StemCount = Literal[2, 4, 6]

STEMS: dict[int, tuple[str, ...]] = {
    2: ("vocals", "other"),
    4: ("vocals", "drums", "bass", "other"),
    6: ("vocals", "drums", "bass", "other", "piano", "guitar"),
}

MODELS: dict[tuple[str, int], tuple[str, ...]] = {
    ("roformer", 2): ("vocals_mel_band_roformer.ckpt", "model_bs_roformer_ep_317_sdr_12.9755.ckpt"),
    ("roformer", 4): ("BS-Roformer-SW.ckpt",),
    ("roformer", 6): ("BS-Roformer-SW.ckpt",),
    ("uvr", 2): ("Kim_Vocal_2.onnx", "UVR-MDX-NET-Inst_HQ_5.onnx", "4_HP-Vocal-UVR.pth"),
}
"""The first one is taken unless another is asked for. By the package's `models-scores.json`, the
median SDR of vocals is 12.6 dB with Mel-Band RoFormer (11 tracks), 11.8 with BS-RoFormer (40) and 10.2 with Kim
Vocal 2 (40)."""

_VERSION = "0.47.1"
CHUNK_SECONDS = 10.0
FADE_SECONDS = 1.0

_WORK = f"{__package__}.work"
"""Imported by the worker alone, so no import of ours leads to it; it is what a result is made by."""

WORKER = Worker(
    "audio-separator",
    Path(resonate_resources.models.workers.__path__[0]) / "audio_separator.py",
    (
        *sorted(Path(__file__).parent.glob("*.py")),
        *sorted(Path(models.__path__[0]).glob("*.py")),
        Path(resampling.__file__),
    ),
)


class AudioSeparator:
    """Parts a track by a model of audio-separator: a RoFormer (`roformer`), an MDX-Net, MDX23C or VR (`uvr`)."""

    def __init__(self, name: Name = "roformer", model: str | None = None, stems: StemCount = 2) -> None:
        """model: a file name from audio-separator's lists. What it gives and is not asked for goes into other.

        Raises ModelError where no model gives so many stems.
        """
        if model is None:
            if (name, stems) not in MODELS:
                raise ModelError(
                    f"{name}: none of its models gives {stems} stems; the engine roformer has one"
                )
            model = MODELS[name, stems][0]
        self._name = name
        self._model = model
        self.stem_names = STEMS[stems]
        self.notes: tuple[str, ...] = ()
        """Of the last separation: what went otherwise than planned, one line each."""
        self.was_warm: bool | None = None
        """Of the last separation: whether the worker had the model loaded already."""

    def available(self) -> str | None:
        """Why it can't run, in one line; None if it can. Asks the hub only where a file of the model is missing."""
        if (reason := WORKER.available()) is not None:
            return reason
        package = next(WORKER.environment.glob("lib/python*/site-packages/audio_separator"), None)
        if package is None:
            return f"audio-separator is not in {WORKER.environment}: run `make workers`"
        try:
            return why_missing(files_of(self._model, _directory(), package), _directory())
        except ModelError as error:
            return str(error)

    def recipe(self) -> Recipe:
        """Hashes of weights are those of the files that are here: their publishers tell none."""
        engine = Engine(
            self._name, self._model, "MIT (code); weights as their publishers say, who often say nothing"
        )
        found: dict[str, Json] = {
            path.name: sha256_of_weights(path) for path in (_directory() / self._model,) if path.is_file()
        }
        settings: dict[str, Json] = {"stems": [*self.stem_names], "weights_sha256": found}
        return Recipe.of((__name__, _WORK), engine, settings)

    def separate(self, track: Recording, into: Path, progress: Progress) -> Stems:
        """Write the stems; fetches the model at first use. Raises ModelError where it can't be had or used.

        The worker is started at first use and stays, with the model, for tracks of this and other processes. Mono
        is separated as stereo with equal sides; of surround sound every pair and every lone channel for itself.
        """
        job: dict[str, Json] = {
            "model": self._model,
            "roformer": self._name == "roformer",
            "models": str(_directory().absolute()),
            "track": str(track.path.absolute()),
            "into": str(into.absolute()),
            "stems": [*self.stem_names],
        }
        try:
            result = WORKER.run(job, progress)
        except WorkerError as error:
            for name in self.stem_names:  # of a worker that was killed
                (into / f"{name}.wav").unlink(missing_ok=True)
            if error.kind in ("AudioError", "DestinationError"):
                raise
            where = "" if error.kind in ("", "ModelError") else f"{self._model}: "
            raise ModelError(f"{where}{error}") from error
        self.was_warm, self.notes = result["was_warm"], tuple(result["notes"])
        return {name: Recording.open(into / f"{name}.wav") for name in self.stem_names}


def _directory() -> Path:
    return models_directory() / "audio-separator"
