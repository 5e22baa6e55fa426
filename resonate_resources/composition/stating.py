"""What is said beside a prompt, by options or in a form: it counts, whatever the words say."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from resonate_resources.composition.request import Asked, Reading, Understanding
from resonate_resources.invalid import told
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError

BESIDE = "said beside the prompt"
_WHOLE: Mapping[str, frozenset[str]] = {
    "sections": frozenset({"structure", "bars", "duration_s", "energy"}),
    "players": frozenset({"instruments", "without", "vocals_wanted"}),
}
"""Field → those that don't count beside it."""


def state(understanding: Understanding, said: Mapping[str, Json]) -> Understanding:
    """said: field of `Asked` → value in JSON's types, null for one that is left to be assumed. Raises AudioError,
    in one line, for one that can't be."""
    fields = {**understanding.asked.model_dump(mode="json"), **said}
    try:
        asked = Asked.model_validate(fields)
    except ValidationError as error:
        raise AudioError(told(error)) from error
    stated = asked.model_dump(mode="json")
    replaced = {*said, *(name for whole, others in _WHOLE.items() if stated[whole] for name in others)}
    kept = [reading for reading in understanding.readings if reading.field not in replaced]
    return understanding.model_copy(
        update={
            "asked": asked,
            "readings": (
                *kept,
                *(
                    Reading(field=name, value=_shown(stated[name]), how="stated", words=BESIDE)
                    for name in said
                    if stated[name] not in (None, [])
                    and not any(stated[whole] and name in others for whole, others in _WHOLE.items())
                ),
            ),
            "contradictory": tuple(name for name in understanding.contradictory if name not in replaced),
            "invalid": tuple(name for name in understanding.invalid if name not in replaced),
        }
    )


def _shown(value: Json) -> str:
    """As the reading of a prompt has it: a range of one number is that number."""
    if isinstance(value, list) and all(isinstance(each, float) for each in value):
        return " to ".join(dict.fromkeys(map(_shown, value)))
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return " ".join(map(_shown, value.values()))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
