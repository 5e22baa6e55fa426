"""An instrument that a network in a worker plays in the timbre of a recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resonate_resources.models.weights import ModelError
from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.recipe import Json
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, silent, write_recording
from resonate_resources.signal.resampling import at_rate

PLAYED = "played.wav"

NoteRow = tuple[float, float, int, int]
"""Onset and offset in seconds, pitch, velocity: a note as a job tells it."""


@dataclass(frozen=True)
class PlayedByWorker:
    """timbre: the recording that is sounded like. release_s: for how long a note rings on after its end.

    The network hears the notes of a call in context: the same note does not give quite the same sound elsewhere.
    """

    model: HubModel
    timbre: Recording
    sample_rate: int
    release_s: float

    def sounding_until(self, note: Note) -> float:
        return note.offset_s + self.release_s

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """(2, frames), both channels alike. Raises ModelError, AudioError."""
        rows: list[Json] = [[note.onset_s, note.offset_s, note.pitch, note.velocity] for note in notes]
        job: dict[str, Json] = {
            "models": str(self.model.directory),
            "notes": rows,
            "sample_rate": self.sample_rate,
            "frames": frames,
        }
        with TemporaryDirectory() as scratch:
            self.model.run(self.timbre, Path(scratch), job, silent)
            return np.repeat(Recording.open(Path(scratch) / PLAYED).read(), 2, axis=0)


def rows_of(job: dict[str, Any]) -> list[NoteRow]:
    """The notes of a job, by onset."""
    return sorted(
        (float(on), float(off), int(pitch), int(velocity)) for on, off, pitch, velocity in job["notes"]
    )


def write_played(job: dict[str, Any], blocks: Iterable[Samples], rate: int, engine: str) -> None:
    """What was played, blocks of (1, frames) at `rate` in Hz, at the rate and of the length that the job asks for.

    Raises ModelError where it is no numbers.
    """
    target, frames = int(job["sample_rate"]), int(job["frames"])
    with write_recording(Path(job["into"]) / PLAYED, target, 1, frames) as writer:
        for block in at_rate(blocks, rate, target, 1, frames):
            if not np.isfinite(block).all():
                raise ModelError(f"{engine} gives no numbers: are its files whole?")
            writer.write(block)
