"""A track through a model of audio-separator, in its worker: what separation and restoration share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resonate_resources.models.audio_separator.model_files import files_of, why_missing
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_those_here
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import AUDIO_SEPARATOR
from resonate_resources.models.workers.hub_model import run_model
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, Progress, Recording, Stems

WORK = f"{__package__}.work"
"""Imported by the worker alone, so no import of ours leads to it; it is what a result is made by."""

WORKER = Worker(AUDIO_SEPARATOR, f"{WORK}.SeparationWork")


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
    return sha256_of_those_here([_directory() / model])


def part(
    model: str, roformer: bool, track: Recording, names: tuple[str, ...], into: Path, progress: Progress
) -> Parted:
    """Write `<name>.wav` into `into` for those of what the model gives, and what else it gives into other.

    roformer: whether it is one. Fetches the model at first use; the worker is started at first use and stays, with
    the model, for tracks of this and other processes. Mono is taken as stereo with equal sides; of surround sound
    every pair and every lone channel for itself. Raises ModelError where it can't be had or used, AudioError.
    """
    settings: dict[str, Json] = {
        "model": model,
        "roformer": roformer,
        "models": str(_directory().absolute()),
        "stems": [*names],
    }
    try:
        result = run_model(WORKER, model, track, into, settings, progress)
    except AudioError:
        for name in names:  # of a worker that was killed
            (into / f"{name}.wav").unlink(missing_ok=True)
        raise
    stems = {name: Recording.open(into / f"{name}.wav") for name in names}
    return Parted(stems, tuple(result["notes"]), result["was_warm"])


def _directory() -> Path:
    return models_directory() / "audio-separator"
