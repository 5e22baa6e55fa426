"""Words of a form, as the file that a track is composed from; and what is understood of them, before it is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resonate_assets.settings import Settings
from resonate_resources.composition.composer.metre import quarters_per_minute
from resonate_resources.composition.composer.players import cast_of
from resonate_resources.composition.engines.choosing import ENGINES, is_styled, lacked
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.request import Request
from resonate_resources.composition.resource import CompositionResource, Wanted
from resonate_resources.composition.stating import state
from resonate_resources.ingestion.words import Words
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.inbox import COMPOSE_SUFFIX
from resonate_studio.api.composed import readings_of
from resonate_studio.api.composition_models import (
    Composition,
    CompositionEngine,
    CompositionPlayer,
    Understood,
)
from resonate_studio.api.lending import PART, Lent, put_beside, require_track
from resonate_studio.api.opened import Opened
from resonate_studio.api.problems import ProblemError
from resonate_studio.api.uploads import Received, safe_name
from resonate_studio.api.wording import without_paths

_FORM = "composition"
_NAMED_AFTER = 40  # characters of the prompt


def write_words(received: Received, opened: Opened) -> Path:
    """The file of a form that brings none: its prompt, and what else it says of the composition. Raises
    ProblemError for what can't be composed."""
    prompt = received.texts.pop("prompt", "")
    told = received.texts.get("composition", "")
    if not prompt.strip() and not told and PART not in received.files:
        if "reference_track" in received.files:
            raise ProblemError(422, "give a file, or a prompt: a reference alone is nothing to work on")
        raise ProblemError(
            422, "give a file: audio in a part called file; or a prompt, to have music composed"
        )
    try:
        document: Any = json.loads(told or "{}")
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, "composition: is no JSON") from error
    if not isinstance(document, dict):
        raise ProblemError(422, "composition: is no object of names and values")
    folder = received.folder / "file"
    folder.mkdir()
    try:
        if PART in received.files:
            if document.get("reference"):
                raise ProblemError(422, f"reference: is a track or the part {PART}, not both")
            document["reference"] = put_beside(received, folder, opened.settings.limits)
        elif named := document.get("reference"):
            require_track(opened.storage, str(named))
        words = Words.parse(json.dumps({"prompt": prompt, **document}), _FORM)
        if words.engine not in ENGINES:
            raise ProblemError(422, f"engine: there is no {words.engine!r}; there are {', '.join(ENGINES)}")
        if is_styled(words.engine) and not words.reference:
            told = (
                f"{words.engine}: needs a recording in whose style it is to be: reference, or the part {PART}"
            )
            raise ProblemError(422, told)
        if words.plan is None and not words.by_model:
            want(words, opened.settings)
    except (AudioError, ValueError) as error:
        raise ProblemError(422, " ".join(str(error).split())) from error
    name = safe_name(
        " ".join((words.title or words.prompt or _unsaid(words)).split())[:_NAMED_AFTER].rstrip(". ")
    )
    file = folder / f"{name}{COMPOSE_SUFFIX}"
    file.write_text(words.written(), encoding="utf-8")
    return file


def _unsaid(words: Words) -> str:
    """What a piece is called that nobody said a word of."""
    if words.plan is not None:
        return "plan"
    return f"like {Path(words.reference).stem}" if words.reference else "piece"


def want(words: Words, settings: Settings, reference: Reference | None = None) -> Wanted:
    """reference: as far as it is known already. Raises AudioError."""
    model = settings.conductor
    composition = CompositionResource(
        conductor_model=model.name if model else "",
        conductor_server=model.server if model else "",
        conductor_key_variable=model.key_variable if model else "",
    )
    alone = bool(words.asked or words.reference)
    understanding = state(composition.understand(words.prompt, words.by_model, alone), words.asked)
    return composition.want(words.prompt, understanding, words.seed, reference)


def understood(asked: Composition, settings: Settings, lent: Lent) -> Understood:
    """Raises ProblemError."""
    try:
        words = Words.parse(asked.model_dump_json(), _FORM)
        found = lent.of(words.reference) if words.reference else None
        reference, unheard = (None, [found]) if isinstance(found, str) else (found, [])
        wanted = want(words, settings, reference)
    except AudioError as error:
        raise ProblemError(422, " ".join(str(error).split())) from error
    told = wanted.understanding
    return Understood(
        readings=readings_of(*told.readings, *wanted.heard, *wanted.assumed),
        contradictory=list(told.contradictory),
        invalid=list(told.invalid),
        not_understood=list(told.not_understood),
        remarks=[*told.remarks, *unheard, *(reference.remarks if reference else ())],
        asked=told.asked.model_dump(mode="json"),
        request=wanted.request.model_dump(mode="json"),
        players=[
            CompositionPlayer(instrument=player.instrument, role=player.slot.role)
            for player in cast_of(wanted.request)
        ],
        duration_s=_duration_s(wanted.request),
    )


def _duration_s(request: Request) -> float:
    quarters = sum(section.bars for section in request.structure) * BEATS_A_BAR[request.metre]
    return quarters * 60 / quarters_per_minute(request.bpm, request.metre)


def engines() -> list[CompositionEngine]:
    """What can make a composition's sound, and what those lack that can't here."""
    made = ((name, make()) for name, make in ENGINES.items())
    return [
        CompositionEngine(
            name=name,
            label=each.label,
            licence=each.licence,
            lacks=without_paths(lacked(each, referenced=True)),
        )
        for name, each in made
    ]
