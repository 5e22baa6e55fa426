"""A track through a model of audio-separator, in its worker: what separation and restoration share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resonate_resources import models
from resonate_resources.models.audio_separator.model_files import files_of, why_missing
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.models.workers.client import Worker, WorkerError
from resonate_resources.models.workers.environments import AUDIO_SEPARATOR
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Recording, Stems
from resonate_resources.signal import resampling

WORK = f"{__package__}.work"
"""Imported by the worker alone, so no import of ours leads to it; it is what a result is made by."""

WORKER = Worker(
    AUDIO_SEPARATOR,
    f"{WORK}.SeparationWork",
    (
        *sorted(Path(__file__).parent.glob("*.py")),
        *sorted(Path(models.__path__[0]).glob("*.py")),
        Path(resampling.__file__),
    ),
)


@dataclass(frozen=True)
class Parted:
    """notes: what went otherwise than planned, one line each. was_warm: whether the model was loaded already."""

    stems: Stems
    notes: tuple[str, ...]
    was_warm: bool


def why_unavailable(model: str) -> str | None:
    """In one line; None if it can run. Asks the hub only where a file of the model is missing."""
    if (reason := WORKER.available()) is not None:
        return reason
    package = next(WORKER.environment.directory.glob("lib/python*/site-packages/audio_separator"), None)
    if package is None:
        return f"audio-separator is not in {WORKER.environment.directory}: remove it and install it again"
    try:
        return why_missing(files_of(model, _directory(), package), _directory())
    except ModelError as error:
        return str(error)


def weights_sha256(model: str) -> dict[str, Json]:
    """File name → SHA-256 in hex, of those files that are here: their publishers tell none."""
    path = _directory() / model
    return {path.name: sha256_of_weights(path)} if path.is_file() else {}


def part(
    model: str, roformer: bool, track: Recording, names: tuple[str, ...], into: Path, progress: Progress
) -> Parted:
    """Write `<name>.wav` into `into` for those of what the model gives, and what else it gives into other.

    roformer: whether it is one. Fetches the model at first use; the worker is started at first use and stays, with
    the model, for tracks of this and other processes. Mono is taken as stereo with equal sides; of surround sound
    every pair and every lone channel for itself. Raises ModelError where it can't be had or used, AudioError.
    """
    job: dict[str, Json] = {
        "model": model,
        "roformer": roformer,
        "models": str(_directory().absolute()),
        "track": str(track.path.absolute()),
        "into": str(into.absolute()),
        "stems": [*names],
    }
    try:
        result = WORKER.run(job, progress)
    except WorkerError as error:
        for name in names:  # of a worker that was killed
            (into / f"{name}.wav").unlink(missing_ok=True)
        if error.kind in ("AudioError", "DestinationError"):
            raise
        where = "" if error.kind in ("", "ModelError") else f"{model}: "
        raise ModelError(f"{where}{error}") from error
    stems = {name: Recording.open(into / f"{name}.wav") for name in names}
    return Parted(stems, tuple(result["notes"]), result["was_warm"])


def _directory() -> Path:
    return models_directory() / "audio-separator"
