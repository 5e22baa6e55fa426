"""Engines by name: the composer unless another is asked for, which is never replaced by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from resonate_resources.composition.engines.ace_step import AceStep, AceStepLego
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.composition.engines.engine import CompositionEngine
from resonate_resources.composition.engines.hosted.engine import MusicGenHosted
from resonate_resources.composition.engines.jasco.engine import Jasco
from resonate_resources.composition.engines.musicgen import MusicGen, MusicGenMelody
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import AudioError

ENGINES: Final[Mapping[str, Callable[[], CompositionEngine]]] = {
    "composer": Composer,
    "musicgen": MusicGen,
    "musicgen-melody": MusicGenMelody,
    "musicgen-hosted": MusicGenHosted,
    "ace-step": AceStep,
    "ace-step-lego": AceStepLego,
    "jasco": Jasco,
}


def choose(name: str | None = None) -> CompositionEngine:
    """The one of that name; the composer where none is named. Raises AudioError for a name that no engine has, and
    ModelError where it lacks something."""
    if name is not None and name not in ENGINES:
        raise AudioError(f"{name!r} is no engine; there are {', '.join(ENGINES)}")
    engine = ENGINES[name or "composer"]()
    if lacking := engine.lacks():
        raise ModelError(lacking)
    return engine
