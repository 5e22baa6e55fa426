"""What the API takes and gives of compositions: words, what is understood of them, and what can make them sound."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from resonate_studio.api.shape import Shape


class Composition(Shape):
    """Words for a composition. asked: what is said beside the prompt, whatever that says. reference: the key of a
    track of the library, in whose style it is where nothing is said; empty: of none."""

    prompt: str = Field(default="", max_length=10_000)
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    asked: dict[str, Any] = Field(default={})
    by_model: StrictBool = False
    reference: str = Field(default="", max_length=64)


class CompositionReading(Shape):
    """Where a field's value is from. words: those of the prompt that it was read in."""

    field: str
    value: str
    how: Literal["stated", "implied", "reference", "assumed"]
    words: str


class CompositionPlayer(Shape):
    """Who plays, and what."""

    instrument: str
    role: str


class Understood(Shape):
    """What would be composed. asked: fields as they were said, null and empty where nobody did; request: all of
    them, as they are composed, which takes duration_s. players: every part of it. contradictory, invalid: fields
    that were left out for that. not_understood: words."""

    readings: list[CompositionReading]
    contradictory: list[str]
    invalid: list[str]
    not_understood: list[str]
    remarks: list[str]
    asked: dict[str, Any]
    request: dict[str, Any]
    players: list[CompositionPlayer]
    duration_s: float


class CompositionWords(Shape):
    """What a track was composed from, as `POST /jobs` takes it: prompt, and what is said beside it. reference: also
    empty where it is a file, which would have to be given again; reference_sounds: its own sounds play what they
    can, false where it is empty."""

    prompt: str
    title: str
    seed: int
    asked: dict[str, Any]
    engine: str
    by_model: bool
    reference: str
    reference_sounds: bool


class ComposedLike(Shape):
    """A recording in whose style something is composed. track: its key, where it is one of the library."""

    name: str
    track: str | None


class Composed(Shape):
    """How a track was made that begins with words. label: what every file of it says of its origin. seed: of the
    music, another than that of the words where it was made anew; words: null where their file is gone. by_plan:
    played as a plan that was given. readings: empty until it is composed. reference: null where there is none.
    sounds: which parts its own sounds play, and whose rights those are; empty where they play none."""

    label: str
    engine: str
    model: str | None
    licence: str
    seed: int | None
    words: CompositionWords | None
    by_plan: bool
    reference: ComposedLike | None
    sounds: str
    readings: list[CompositionReading]
    not_understood: list[str]
    remarks: list[str]


class CompositionEngine(Shape):
    """label: what every file of it says of its origin. lacks: why it can't run here, empty where it can."""

    name: str
    label: str
    licence: str
    lacks: str


class CompositionInstrument(Shape):
    """roles: what it can play, the likeliest first."""

    name: str
    roles: list[str]


class CompositionEngines(Shape):
    """model: the language model that can read the words, null where none is set up. genres and all after: the words
    that a composition's fields take."""

    engines: list[CompositionEngine]
    model: str | None
    genres: list[str]
    modes: list[str]
    moods: list[str]
    metres: list[str]
    sections: list[str]
    instruments: list[CompositionInstrument]
