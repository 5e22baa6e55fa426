"""Folders that are named on the command line: every audio file below, and what was passed over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.storage.inbox import AUDIO_SUFFIXES, is_compose


@dataclass(frozen=True)
class Found:
    """files: to be worked on, those of a folder in the order of their names. passed_over: of folders, what is
    neither audio by its name nor words to compose from."""

    files: list[Path]
    passed_over: list[str]


def files_below(named: Sequence[Path]) -> Found:
    """What is meant by files and folders. A file that is named itself is always worked on.

    A folder without audio stands for itself, and is refused as what it is. Hidden files and folders are left
    alone, and links to folders are not followed: they may lead round in a circle.
    """
    files: list[Path] = []
    passed_over: list[str] = []
    for place in named:
        if not os.path.isdir(place):  # noqa: PTH112 — a name that is too long is no folder's, and raises nothing
            files.append(place)
            continue
        below = [Path(folder, name) for folder, name in _walk(place)]
        audio = [file for file in below if _is_taken(file)]
        files += audio
        passed_over += [str(file) for file in below if not _is_taken(file)]
        if not audio:
            files.append(place)
    return Found(files, passed_over)


def _is_taken(file: Path) -> bool:
    return file.suffix.lower() in AUDIO_SUFFIXES or is_compose(file.name)


def _walk(place: Path) -> list[tuple[str, str]]:
    found = []
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [(folder, name) for name in sorted(names) if not name.startswith(".")]
    return found
