"""Routes of compositions: what is understood of words, and what can make music of them."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter

from resonate_resources.composition.request import MODES, Genre, Mood
from resonate_studio.api.composing import engines, understood
from resonate_studio.api.composition_models import Composition, CompositionEngines, Understood
from resonate_studio.api.problems import answers
from resonate_studio.api.serving import Served

router = APIRouter(tags=["compositions"])


@router.post("/compositions/understanding", responses=answers())
def understand(serving: Served, asked: Composition) -> Understood:
    """What would be composed from words, and in the style of a track of the library as far as that is analysed;
    nothing is made. `POST /jobs` with the same has it made."""
    return understood(asked, serving.opened.settings, serving.lent)


@router.get("/compositions/engines", responses=answers())
def list_engines() -> CompositionEngines:
    """What can make a composition's sound, and the words for genres, modes of keys and moods."""
    return CompositionEngines(
        engines=engines(), genres=list(get_args(Genre)), modes=list(MODES), moods=list(get_args(Mood))
    )
