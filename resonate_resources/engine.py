"""What ran, and what came of it: the two values every capability gives to the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Engine:
    """What a capability will run, known before it runs: part of the key under which results are cached.

    settings holds everything else that changes the result (preset, targets, seed).
    """

    name: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    model: str | None = None
    licence: str | None = None
    notes: tuple[str, ...] = ()
    """Why this engine and not a better one, where that is so: a fallback is never silent."""


@dataclass(frozen=True)
class Product:
    """What a capability made.

    files: name in the artefact (may hold `/`) → file on disk, in a telling order.
    measures: flat name → number or short text. Names end in their unit (`loudness_lufs`, `tempo_bpm`);
        no NaN; -inf is allowed (loudness of silence).
    """

    files: Mapping[str, Path]
    measures: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know of this result, one line each."""
    engine: Engine | None = None
    """What ran, where that was only found out by doing it."""
