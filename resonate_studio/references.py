"""Recordings that came through the page for a track to be moved towards: ours, and kept for as long as a brief of
the track names them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from resonate_resources.storage.resource import StorageResource

SETTINGS = ("mastering.reference", "mixing.reference")
FOLDER = "reference-"
"""What the folder of one begins with: it may as well be another track's own file that is named, which stays."""


def set_references(storage: StorageResource, track: str) -> set[str]:
    """Paths that are set for a track now."""
    try:
        settings = json.loads(storage.store.read(f"briefs/{track}.json") or b"{}")
    except ValueError:  # damaged: names none
        return set()
    return {settings[name] for name in SETTINGS if isinstance(settings.get(name), str)}


def earlier_references(storage: StorageResource, track: str) -> set[str]:
    """Paths in briefs that kept results were made by: such a brief may be wanted again."""
    return {path for document in _documents(storage, track) for path in _named(document)}


def forget_references(storage: StorageResource, paths: set[str]) -> None:
    """Delete those that came through the page as references."""
    for path in paths:
        if Path(path).parent.name.startswith(FOLDER):
            storage.forget_upload(path)


def _documents(storage: StorageResource, track: str) -> Iterator[Mapping[str, Any]]:
    for entry in storage.store.entries(f"artefacts/brief/{track}"):
        parts = entry.key.split("/")
        if len(parts) == 5 and parts[4] == "manifest.json":
            artefact = storage.artefacts.computed("brief", track, parts[3])
            settings = artefact.manifest.recipe.get("settings") if artefact else None
            if isinstance(settings, dict):
                yield settings


def _named(document: Mapping[str, Any]) -> Iterator[str]:
    for name in SETTINGS:
        section, setting = name.split(".")
        values = document.get(section)
        path = values.get(setting) if isinstance(values, dict) else None
        if path and isinstance(path, str):
            yield path
