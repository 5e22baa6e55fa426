"""What Resonate wrote itself, known again wherever it lies: a scan should not take it for new music."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path, PurePath

from resonate_resources.brief.section import STEM_NAMES

OUTPUT = ".resonate-output"
"""Stands in a batch's output of which all is ours."""
_METADATA, _PROVENANCE = "metadata.json", "_Provenance.json"
_BEGINNING = re.compile(rb'\s*{\s*"resonate":\s*"[^"]*",\s*"track":')


def made_by_us(folder: str, names: Collection[str]) -> Collection[str]:
    """Of the names in a folder, those that we put there: all of an output and of a track's folder, and of the
    mirrored library, or what lies in one as it does, the stems."""
    if OUTPUT in names or (_METADATA in names and _is_ours(Path(folder, _METADATA))):
        return names
    songs = {name.removesuffix(_PROVENANCE) for name in names if name.endswith(_PROVENANCE)}
    return [name for name in names if _is_stem_of(name, songs)] if songs else ()


def mark_output(folder: Path) -> None:
    """Mark an output in which nothing lies yet. Raises OSError."""
    if not any(os.scandir(folder)):
        (folder / OUTPUT).write_text(
            "What lies here was made by Resonate, and is passed over by its scans.\n"
        )


def _is_ours(metadata: Path) -> bool:
    try:
        with metadata.open("rb") as file:
            return _BEGINNING.match(file.read(256)) is not None
    except OSError:
        return False


def _is_stem_of(name: str, songs: Collection[str]) -> bool:
    song, _, part = PurePath(name).stem.rpartition("_")
    return song in songs and part.lower() in STEM_NAMES
