"""Soundfonts and plugins as a recipe knows them: by what they are, not by where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from resonate_resources.instruments.soundfont_file import soundfonts
from resonate_resources.instruments.soundfont_program import fluidsynth_told
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, file_sha256
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.choice import may_play


def told_of_files(brief: RegenerationBrief) -> Mapping[str, Json]:
    """What stands for the brief's `soundfonts` and `plugins`: name and SHA-256 of each that may play, those of the
    system among them, and FluidSynth's version. A file that is missing has no hash."""
    wanted = {brief.instruments, *brief.stems.values()}
    provided = brief.provided
    told: dict[str, Json] = {"soundfonts": [], "plugins": []}
    if may_play("soundfont", wanted):
        paths = provided.soundfonts or tuple(each.path for each in soundfonts(()))
        told["soundfonts"] = [_told(path) for path in paths]
        try:
            told["soundfont_player"] = fluidsynth_told()
        except AudioError:
            told["soundfont_player"] = None
    if may_play("plugin", wanted):
        told["plugins"] = [[_told(path) for path in each if path] for each in provided.plugins]
    return told


def _told(path: Path) -> Json:
    return {"name": path.name, "sha256": _sha256(path)}


def _sha256(path: Path) -> Json:
    """Of a file; of a bundle, which is a folder, that of each file in it; None where there is nothing."""
    try:
        if path.is_dir():
            return {
                file.relative_to(path).as_posix(): _sha256(file)
                for file in sorted(path.rglob("*"))
                if file.is_file()
            }
        found = path.stat()
        if not S_ISREG(found.st_mode):  # to read a pipe would wait for whoever writes to it
            return None
        return _hashed(path, found.st_size, found.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _hashed(path: Path, size: int, mtime_ns: int) -> str:  # noqa: ARG001 — by which it is known
    return file_sha256(path)
