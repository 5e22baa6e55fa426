"""What LiveSynth's worker does with a job: notes to sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples
from resonate_resources.regeneration.cloning.clap import CHECKPOINT, Timbres
from resonate_resources.regeneration.cloning.played import NoteRow, rows_of, write_played

VERSION = "0.1.0"
"""Of the package."""
FILES = (
    "config.json",
    "generator.safetensors",
    "decoder.safetensors",
    "text_align.safetensors",
    "presets.safetensors",
)
SEED = 0
_FRAMES_AT_ONCE = 100
"""Of the notes' embeddings, of which the package looks up 1000 at once, in 2 GB."""


class LiveSynthWork:
    """Jobs as `played.PlayedByWorker.play` makes them. The network, CLAP and the latest timbre stay."""

    def __init__(self) -> None:
        self._networks = Latest[Any]()
        self._timbres = Timbres()

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        models = Path(job["models"])
        timbre = self._timbres.of(Recording.open(Path(job["track"])), models / CHECKPOINT.name)

        def state() -> object:
            return tuple(state_of(models / name) for name in FILES)

        synth = self._networks.get(state, lambda: load(models))
        progress(0.1)
        seconds = int(job["frames"]) / int(job["sample_rate"])
        write_played(job, play(synth, rows_of(job), timbre[0], seconds), synth.sample_rate, "LiveSynth")
        return {}


def load(models: Path) -> Any:
    """The package's `LiveSynth` from a folder with FILES, on a GPU if there is one. Raises ModelError."""
    import torch
    from livesynth import LiveSynth

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        synth = LiveSynth.from_pretrained(local_dir=models, device=device, precision="fp32")
    except Exception as error:  # safetensors' own, and whatever a configuration of another shape leads to
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{models}: is no whole model of LiveSynth's ({reason}); delete its files"
        ) from error
    encode = synth.backbone.midi_enc.forward

    def encode_in_parts(state: Any, absent: Any = None, age: Any = None) -> Any:
        parts = [slice(start, start + _FRAMES_AT_ONCE) for start in range(0, state.shape[1], _FRAMES_AT_ONCE)]
        of = [[None if one is None else one[:, part] for one in (state, absent, age)] for part in parts]
        return torch.cat([encode(*each) for each in of], dim=1)

    synth.backbone.midi_enc.forward = encode_in_parts
    return synth


def play(synth: Any, notes: list[NoteRow], timbre: Any, seconds: float) -> Iterator[Samples]:
    """(1, frames) in all at the network's rate. Notes count in its frames of 10 ms."""
    audio = synth.render(np.array(notes).reshape(-1, 4), timbre, duration=seconds, seed=SEED)
    yield np.asarray(audio, np.float32)[None]
