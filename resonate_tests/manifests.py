"""Manifests for tests in which only a few of their fields matter."""

from __future__ import annotations

from typing import Any

from resonate_resources.recipe import Engine
from resonate_resources.storage.manifest import Manifest


def manifest(stage: str, track: str, **fields: Any) -> Manifest:
    """A manifest with these fields; without a word on them, an artefact without files that is made from nothing."""
    given: dict[str, Any] = {
        "key": "k",
        "attempt": "a",
        "data_version": "v",
        "recipe": {},
        "code_version": "1",
        "inputs": {},
        "engine": Engine("none"),
        "files": {},
        "measures": {},
        "notes": (),
        "seconds": 0.0,
        "made_from": {},
    }
    return Manifest(stage=stage, track=track, **given | fields)
