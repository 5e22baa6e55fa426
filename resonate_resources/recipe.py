"""What is asked of a stage, who did it, and what came of it: the values every capability gives to the graph.

What is keyed stands in `Recipe` alone. Licences, notes, times and hosts are told in manifests and never keyed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from resonate_resources.ingredients import ingredients_of

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True)
class Engine:
    """Who does the work: its name, its model, and the licence of both."""

    name: str
    model: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Recipe:
    """All that a result depends on besides its inputs, known before the work begins.

    settings: whatever may be chosen (what the brief asks for, hashes of weights, seeds).
    version: raised by hand when an algorithm changes in a way that no constant shows.
    constants, libraries: see `ingredients_of`; they are found in the code, so that none is forgotten.
    """

    engine: Engine
    settings: Mapping[str, Json] = field(default_factory=dict)
    version: str = "1"
    constants: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        code: str | Sequence[str],
        engine: Engine,
        settings: Mapping[str, Json] | None = None,
        version: str = "1",
    ) -> Recipe:
        """A recipe with the ingredients of the code that does the work: the names of its modules."""
        found = ingredients_of(*((code,) if isinstance(code, str) else code))
        return cls(engine, settings or {}, version, found.constants, found.libraries)

    def keyed(self) -> dict[str, Json]:
        """What the key of a result is made from, in JSON's types."""
        return {
            "engine": self.engine.name,
            "model": self.engine.model,
            "settings": dict(self.settings),
            "version": self.version,
            "constants": self.constants,
            "libraries": dict(self.libraries),
        }

    @property
    def code_version(self) -> str:
        """What of the recipe is code: short, for Dagster."""
        code = json.dumps([self.constants, dict(self.libraries)], sort_keys=True)
        return f"{self.version}-{hashlib.sha256(code.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Product:
    """What a capability made.

    files: name in the artefact (may hold `/`) → file on disk, in a telling order: its content.
    reports: the same, of files that tell how it came to be (times, attempts, a picture): no part of what it is.
    measures: flat name → number or short text. Names end in their unit (`loudness_lufs`, `tempo_bpm`);
        no NaN; -inf is allowed (loudness of silence).
    """

    files: Mapping[str, Path]
    measures: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the user should know of this result, one line each: a fallback is never silent."""
    reports: Mapping[str, Path] = field(default_factory=dict)
    engine: Engine | None = None
    """What ran, where that was only found out by doing it."""
    recipe: Recipe | None = None
    """What it was really made by, where not all of what was asked turned out to matter."""
