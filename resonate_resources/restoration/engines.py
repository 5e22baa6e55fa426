"""Who does each step: the best first, an embedded one last."""

from __future__ import annotations

from collections.abc import Sequence

from resonate_resources.restoration.step import Step, StepName

_MODELS: dict[StepName, tuple[Step, ...]] = {}
_EMBEDDED: dict[StepName, tuple[Step, ...]] = {}

MODULES = tuple(
    sorted(
        {type(each).__module__ for table in (_MODELS, _EMBEDDED) for some in table.values() for each in some}
    )
)
"""Whose constants and libraries a result is made by."""


def engines_of(step: StepName, embedded: bool = False) -> Sequence[Step]:
    """embedded: without models. Of some steps there are none then."""
    return (*(() if embedded else _MODELS.get(step, ())), *_EMBEDDED.get(step, ()))
