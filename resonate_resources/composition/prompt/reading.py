"""A prompt read: every statement found, those that exclude each other set aside, the rest told."""

from __future__ import annotations

from typing import Final, cast

from resonate_resources.composition.prompt.gathering import Found, gather
from resonate_resources.composition.prompt.keys import read_key
from resonate_resources.composition.prompt.length import read_length
from resonate_resources.composition.prompt.lexicon import language_of
from resonate_resources.composition.prompt.metre import read_metre
from resonate_resources.composition.prompt.names import read_name
from resonate_resources.composition.prompt.numbers import write_numbers_as_digits
from resonate_resources.composition.prompt.structure import read_form
from resonate_resources.composition.prompt.tempo import read_tempo, read_tempo_with_unit
from resonate_resources.composition.prompt.text import Text
from resonate_resources.composition.request import Asked, Genre, Reading, Understanding
from resonate_resources.models.language_model import one_line
from resonate_resources.recordings.recording import AudioError

MOST_LETTERS: Final = 2000
_MOST_WORDS: Final = 60  # told as not understood
_MOST_REMARKS: Final = 40


def read_prompt(text: str) -> Understanding:
    """Raises AudioError where nothing is said at all."""
    if not text.strip() or not one_line(text):
        raise AudioError(
            "The prompt is empty: say what is to be composed, as in: slow house in A minor, 2 minutes"
        )
    prompt = Text.of(text[:MOST_LETTERS])
    if len(text) > MOST_LETTERS:
        prompt.remarks.append(f"Only the first {MOST_LETTERS} letters were read, of {len(text)}")
    language = language_of(prompt.folded)
    write_numbers_as_digits(prompt)
    read_name(prompt, language)
    read_tempo_with_unit(prompt)
    read_length(prompt)
    read_metre(prompt)
    read_key(prompt, language)
    read_tempo(prompt)
    read_form(prompt)
    return _understanding(prompt, gather(prompt, language))


def _understanding(prompt: Text, found: Found) -> Understanding:
    asked = Asked.model_validate(found.asked)
    nearest = cast("Genre | None", found.nearest_genre)  # the lexicon checks its values
    readings = tuple(
        Reading(
            field=field,
            value=told(value),
            how=found.how.get(field, "stated"),
            words=found.words.get(field, ""),
        )
        for field, value in found.asked.items()
    )
    return Understanding(
        asked=asked,
        nearest_genre=nearest,
        readings=readings,
        contradictory=tuple(dict.fromkeys(found.contradictory)),
        invalid=tuple(dict.fromkeys(prompt.invalid)),
        not_understood=tuple(dict.fromkeys(found.unknown))[:_MOST_WORDS],
        remarks=tuple(dict.fromkeys(map(one_line, prompt.remarks)))[:_MOST_REMARKS],
    )


def told(value: object) -> str:
    """A field's value, for a person."""
    if isinstance(value, tuple) and all(isinstance(each, float) for each in value):
        low, high = value
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
