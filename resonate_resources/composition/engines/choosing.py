"""Engines by name: the composer unless another is asked for, which is never replaced by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from resonate_resources.composition.engines.ace_step import AceStep, AceStepLego
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.composition.engines.engine import CompositionEngine, StyledEngine
from resonate_resources.composition.engines.hosted.engine import MusicGenHosted
from resonate_resources.composition.engines.jasco.engine import Jasco
from resonate_resources.composition.engines.musicgen import MusicGen, MusicGenMelody
from resonate_resources.composition.engines.style.engine import MusicGenStyle
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import AudioError

ENGINES: Final[Mapping[str, Callable[[], CompositionEngine]]] = {
    "composer": Composer,
    "musicgen": MusicGen,
    "musicgen-melody": MusicGenMelody,
    "musicgen-style": MusicGenStyle,
    "musicgen-hosted": MusicGenHosted,
    "ace-step": AceStep,
    "ace-step-lego": AceStepLego,
    "jasco": Jasco,
}


def choose(name: str | None = None, referenced: bool = False) -> CompositionEngine:
    """The one of that name; the composer where none is named. referenced: there is a recording in whose style it is
    to be. Raises AudioError for a name that no engine has, and ModelError where it lacks something."""
    if name is not None and name not in ENGINES:
        raise AudioError(f"{name!r} is no engine; there are {', '.join(ENGINES)}")
    engine = ENGINES[name or "composer"]()
    if lacking := lacked(engine, referenced):
        raise ModelError(lacking)
    return engine


def is_styled(name: str) -> bool:
    """Whether the engine of that name hears in whose style it is to be."""
    return name in ENGINES and isinstance(ENGINES[name](), StyledEngine)


def lacked(engine: CompositionEngine, referenced: bool = False) -> str:
    """What it lacks, with a recording in whose style it is to be or without; "" where it can make something."""
    lacking = engine.lacks()
    if not lacking and isinstance(engine, StyledEngine) and not referenced:
        return f"{engine.name}: needs a recording in whose style it is to be, as its reference"
    return lacking
