"""TokenSynth: notes played in the timbre of a recording by a language model of a codec's tokens, up to 8 kHz."""

from __future__ import annotations

from resonate_resources.models.weights import ModelFile
from resonate_resources.models.workers.client import Worker
from resonate_resources.models.workers.environments import CLONING
from resonate_resources.models.workers.hub_model import HubModel
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning import clap
from resonate_resources.regeneration.cloning.played import PlayedByWorker
from resonate_resources.regeneration.cloning.tokensynth.work import CODEC, SEED, TOP_K, TRANSFORMER, VERSION

_HUB = "https://huggingface.co/KyungsuKim/TokenSynth/resolve/main"
WEIGHTS = tuple(ModelFile(f"{_HUB}/{name}", "") for name in (TRANSFORMER, CODEC))
"""As tokensynth 0.0.4 names them. No hashes are published."""
WORKER = Worker(CLONING, f"{__package__}.work.TokenSynthWork")
LICENCE = f"MIT (code), not stated (weights), MIT (DAC), {clap.LICENCE} (CLAP)"

_RELEASE_S = 1.0
"""By judgement: it sounds for five seconds from where a passage begins, whatever its notes."""


def model() -> HubModel:
    return HubModel("tokensynth", WORKER, (*WEIGHTS, clap.CHECKPOINT))


def candidates(part: Part) -> list[Candidate]:
    """One, of kind "tokensynth", that sounds like the loudest ten seconds of the part's stem; none for drums, which
    it has not learned, and for a part without notes.

    Weights are fetched where they are not here. Raises ModelError where they can't be had, or the worker has no
    environment.
    """
    if part.stem == "drums" or not part.notes:
        return []
    network = model()
    network.require()
    instrument = PlayedByWorker(network, part.recording, part.sample_rate, _RELEASE_S)
    return [
        Candidate(
            kind="tokensynth",
            label="TokenSynth, after the stem's sound",
            licence=LICENCE,
            source="KyungsuKim/TokenSynth",
            instrument=instrument,
            leaving_out=instrument,
            settings={
                "tokensynth": VERSION,
                "seed": SEED,
                "top_k": TOP_K,
                "weights_sha256": network.weights_sha256(),
            },
        )
    ]
