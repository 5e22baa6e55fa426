"""A model that runs in a worker, by files of its own hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import (
    ModelError,
    ModelFile,
    fetch,
    models_directory,
    sha256_of_those_here,
    why_missing,
)
from resonate_resources.models.workers.client import Worker, WorkerError
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import Progress, Recording


@dataclass(frozen=True)
class HubModel:
    """name: of the folder that its files lie in, and in errors."""

    name: str
    worker: Worker
    files: tuple[ModelFile, ...]

    @property
    def directory(self) -> Path:
        return (models_directory() / self.name).absolute()

    def unavailable(self) -> str | None:
        """Why it can't run, in one line; None if it can. Asks the hub only where a file is not here."""
        return self.worker.available() or why_missing(self.files, self.directory)

    def weights_sha256(self) -> dict[str, Json]:
        return sha256_of_those_here(self.directory / file.name for file in self.files)

    def require(self) -> None:
        """Have it here, fetched from its hub where it is not. Raises ModelError where it can't be had or run."""
        if (reason := self.worker.available()) is not None:
            raise ModelError(reason)
        for file in self.files:
            fetch(file, self.directory)

    def run(
        self, track: Recording, into: Path, settings: Mapping[str, Json], progress: Progress
    ) -> dict[str, Any]:
        """The worker's result, its files in `into`. What is not here of the model is fetched.

        Raises ModelError where it can't be had or used, AudioError.
        """
        self.require()
        return run_model(self.worker, self.name, track, into, settings, progress)


def run_model(
    worker: Worker,
    model: str,
    track: Recording,
    into: Path,
    settings: Mapping[str, Json],
    progress: Progress,
) -> dict[str, Any]:
    """The worker's result of the job with these settings. model: as errors name it.

    Raises ModelError where the model, or its worker, can't be used; what is wrong with the track, or with where the
    worker writes, as it told it.
    """
    job = {**settings, "track": str(track.path.absolute()), "into": str(into.absolute())}
    try:
        return worker.run(job, progress)
    except WorkerError as error:
        if error.kind in ("AudioError", "DestinationError"):
            raise
        where = "" if error.kind in ("", "ModelError") else f"{model}: "
        raise ModelError(f"{where}{error}") from error
