"""Routes of compositions: what is understood of words, and what can make music of them."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter

from resonate_resources.composition.composer.players import roles_of
from resonate_resources.composition.request import MODES, Genre, Instrument, Metre, Mood, SectionName
from resonate_studio.api.composing import engines, understood
from resonate_studio.api.composition_models import (
    Composition,
    CompositionEngines,
    CompositionInstrument,
    Understood,
)
from resonate_studio.api.problems import answers
from resonate_studio.api.serving import Served
from resonate_studio.api.wording import without_paths

router = APIRouter(tags=["compositions"])


@router.post("/compositions/understanding", responses=answers())
def understand(serving: Served, asked: Composition) -> Understood:
    """What would be composed from words, and in the style of a track of the library as far as that is analysed;
    nothing is made. `POST /jobs` with the same has it made."""
    return understood(asked, serving.opened.settings, serving.lent)


@router.get("/compositions/engines", responses=answers())
def list_engines(serving: Served) -> CompositionEngines:
    """What can make a composition's sound, who can read its words, and the words that its fields take."""
    model = serving.opened.settings.conductor
    return CompositionEngines(
        engines=engines(),
        model=":".join(map(without_paths, model.name.split(":", 1))) if model else None,
        genres=list(get_args(Genre)),
        modes=list(MODES),
        moods=list(get_args(Mood)),
        metres=list(get_args(Metre)),
        sections=list(get_args(SectionName)),
        instruments=[
            CompositionInstrument(name=name, roles=list(roles_of(name))) for name in get_args(Instrument)
        ],
    )
