"""Every engine that can clone an instrument, by the name that it has as a candidate's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resonate_resources.regeneration.cloning.ddsp import candidates as ddsp
from resonate_resources.regeneration.cloning.livesynth import candidates as livesynth
from resonate_resources.regeneration.cloning.rave import candidates as rave
from resonate_resources.regeneration.cloning.tokensynth import candidates as tokensynth
from resonate_resources.regeneration.instrument import Candidate, Part

ENGINES: Mapping[str, Callable[[Part], list[Candidate]]] = {
    "livesynth": livesynth.candidates,
    "tokensynth": tokensynth.candidates,
    "rave": rave.candidates,
    "ddsp": ddsp.candidates,
}
