"""Every engine that can clone an instrument, by the name that it has as a candidate's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resonate_resources.models.weights import ModelError
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


def cloned(part: Part) -> list[Candidate]:
    """Those of every engine that can be had; none where the engines that can have none for such a part.

    Raises ModelError, with the reason of each, where no engine can be had.
    """
    found: list[Candidate] = []
    missing: list[str] = []
    for candidates in ENGINES.values():
        try:
            found += candidates(part)
        except ModelError as error:
            missing.append(str(error))
    if len(missing) == len(ENGINES):
        raise ModelError(f"nothing can be cloned with: {'; '.join(missing)}")
    return found
