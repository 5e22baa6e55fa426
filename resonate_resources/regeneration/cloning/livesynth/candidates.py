"""LiveSynth: notes played in the timbre of a recording by a causal transformer, at 48 kHz."""

from __future__ import annotations

from resonate_resources.models.weights import ModelFile
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import CLONING
from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning import clap
from resonate_resources.regeneration.cloning.livesynth.work import FILES, SEED, VERSION
from resonate_resources.regeneration.cloning.played import PlayedByWorker

_HUB = "https://huggingface.co/KyungsuKim/LiveSynth/resolve/main"
WEIGHTS = tuple(ModelFile(f"{_HUB}/{name}", "") for name in FILES)
"""As livesynth 0.1.0 names them (400 MB). No hashes are published."""
WORKER = Worker(CLONING, f"{__package__}.work.LiveSynthWork")
LICENCE = f"MIT (LiveSynth), {clap.LICENCE} (CLAP)"

_RELEASE_S = 1.0
"""What the package itself leaves after the last note (`tail` of `render`)."""


def model() -> HubModel:
    return HubModel("livesynth", WORKER, (*WEIGHTS, clap.CHECKPOINT))


def candidates(part: Part) -> list[Candidate]:
    """One, of kind "livesynth", that sounds like the loudest ten seconds of the part's stem; none for drums, which
    it has not learned, and for a part without notes.

    Weights are fetched where they are not here (2.8 GB with CLAP's). Raises ModelError where they can't be had, or
    the worker has no environment.
    """
    if part.stem == "drums" or not part.notes:
        return []
    network = model()
    network.require()
    instrument = PlayedByWorker(network, part.recording, part.sample_rate, _RELEASE_S)
    return [
        Candidate(
            kind="livesynth",
            label="LiveSynth, after the stem's sound",
            licence=LICENCE,
            source="KyungsuKim/LiveSynth",
            instrument=instrument,
            leaving_out=instrument,
            settings={"livesynth": VERSION, "seed": SEED, "weights_sha256": network.weights_sha256()},
        )
    ]
