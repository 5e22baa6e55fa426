"""Every engine that can clone an instrument, by the name that it has as a candidate's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.cloning.ddsp import candidates as ddsp
from resonate_resources.regeneration.cloning.livesynth import candidates as livesynth
from resonate_resources.regeneration.cloning.rave import candidates as rave
from resonate_resources.regeneration.cloning.tokensynth import candidates as tokensynth

ENGINES: Mapping[str, Callable[[Part], list[Candidate]]] = {
    "livesynth": livesynth.candidates,
    "tokensynth": tokensynth.candidates,
    "rave": rave.candidates,
    "ddsp": ddsp.candidates,
}


@dataclass(frozen=True)
class CloningEngine:
    """unavailable: why it can't play here, on one line. weights: the folder that they go to."""

    name: str
    weights: Path
    licence: str
    unavailable: str | None


def survey() -> list[CloningEngine]:
    """All of them. Hubs are asked only for files that are not here."""
    networks = [(livesynth, livesynth.model()), (tokensynth, tokensynth.model())]
    return [
        *(
            CloningEngine(network.name, network.directory, engine.LICENCE, network.unavailable())
            for engine, network in networks
        ),
        CloningEngine("rave", rave.directory(), rave.LICENCE, rave.unavailable()),
        CloningEngine("ddsp", ddsp.directory(), ddsp.LICENCE, ddsp.unavailable()),
    ]
