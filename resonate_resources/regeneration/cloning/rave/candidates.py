"""RAVE: what our own instrument plays, in the timbre that somebody's model was trained on (arXiv 2111.05011)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.instruments.faust import instrument_for
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.models.weights import ModelError, models_directory, sha256_of_weights
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import CLONING
from resonate_resources.models.workers.hub_model import run_model
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning.played import PLAYED
from resonate_resources.regeneration.cloning.rave.work import SEED

WORKER = Worker(CLONING, f"{__package__}.work.TransferWork")

LICENCE = "not stated in the file; acids-ircam's own models are CC-BY-NC-4.0: take it for non-commercial"

_RINGING_S = 1.0
"""Behind what is encoded: v2's latents reach half a second, its noise and reverberation a little more."""


def directory() -> Path:
    """Where a user puts models that `rave export` wrote, as NAME.ts."""
    return (models_directory() / "rave").absolute()


def unavailable() -> str | None:
    """Why it can't play, on one line; None if it can."""
    if not _models():
        return f"rave: no model; put one that `rave export` wrote into {directory()}, as NAME.ts"
    return WORKER.available()


def _models() -> list[Path]:
    return sorted(directory().glob("*.ts"))


def candidates(part: Part) -> list[Candidate]:
    """One of kind "rave" for each model in `directory`: the stem's Faust instrument, encoded and decoded by it.

    Raises ModelError where there is no model, or the worker has no environment.
    """
    if (reason := unavailable()) is not None:
        raise ModelError(reason)
    if not part.notes:
        return []
    player = instrument_for(part.stem, part.sample_rate)
    return [_candidate(RaveInstrument(file, player)) for file in _models()]


@dataclass(frozen=True)
class RaveInstrument:
    """file: of the model. player: what is encoded."""

    file: Path
    player: Instrument

    @property
    def sample_rate(self) -> int:
        return self.player.sample_rate

    def sounding_until(self, note: Note) -> float:
        return self.player.sounding_until(note) + _RINGING_S

    def play(self, notes: Sequence[Note], frames: int) -> Samples:
        """Raises ModelError, AudioError. Which noise a note gets depends on where it stands."""
        with TemporaryDirectory() as scratch:
            into = Path(scratch)
            played = write_samples(into / "encoded.wav", self.player.play(notes, frames), self.sample_rate)
            run_model(WORKER, "rave", played, into, {"weights": str(self.file)}, silent)
            return Recording.open(into / PLAYED).read()


def _candidate(instrument: RaveInstrument) -> Candidate:
    return Candidate(
        kind="rave",
        label=f"RAVE, {instrument.file.stem}",
        licence=LICENCE,
        source=f"{instrument.file.name}, a model of the user's",
        instrument=instrument,
        leaving_out=instrument,
        settings={
            "weights": instrument.file.name,
            "weights_sha256": sha256_of_weights(instrument.file),
            "seed": SEED,
        },
    )
