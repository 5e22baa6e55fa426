"""Stems in the folders of the library that their songs lie in: `House/Artist/Song_Vocals.wav`.

For libraries on sticks: names are such as FAT holds, and what FAT would take for one name is told apart.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from resonate_resources.exporting.names import safe_name, same_on_fat
from resonate_resources.exporting.song import Song
from resonate_resources.exporting.sound_format import SoundFormat
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress
from resonate_resources.storage.inbox import AUDIO_SUFFIXES

_NAMELESS = "_"
"""Instead of a name of nothing but what FAT can't have."""


@dataclass(frozen=True)
class Mirrored:
    """library: the folder whose structure is mirrored."""

    library: Path
    sound: SoundFormat = field(default_factory=SoundFormat)

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """A file a stem, and one that tells how they were made, named by the song's file; by its title where it has
        none. Raises AudioError."""
        written = self.sound.write(song.stems, song.tags, into, progress, song.told())
        place, note = self._place(song)
        named = {
            str(place.with_name(f"{place.name}_{stem.capitalize()}{path.suffix}")): path
            for stem, path in written.files.items()
        }
        if song.provenance:
            told = into / "provenance.json"
            told.write_text(json.dumps(song.provenance.to_json(), indent=1), encoding="utf-8")
            named[str(place.with_name(f"{place.name}_Provenance.json"))] = told
        return Product(named, notes=(*written.notes, *note))

    def _place(self, song: Song) -> tuple[PurePosixPath, list[str]]:
        """Folder and name of the song, without a suffix, and a note where the library has no such folder."""
        if song.source is None:
            called = " - ".join(word for word in (song.tags.artist, song.tags.title or "Untitled") if word)
            return PurePosixPath(safe_name(called) or _NAMELESS), [
                "the song has no file in the library: its stems lie at the top"
            ]
        folder, told = self.library, ""
        notes = []
        if song.source.is_relative_to(self.library):
            within = song.source.relative_to(self.library).parts[:-1]
        else:
            within = ()
            notes = [f"{song.source.name} lies outside {self.library}: its stems lie at the top"]
        for part in within:
            told += f"{_told_apart(part, part, _folders(folder))}/"
            folder /= part
        return PurePosixPath(told + _song_name(song.source)), notes


def told_apart(name: str, by: str) -> str:
    """The name of a song's file, `Song_Vocals.wav`, with six digits of a hash: `Song~1f0c2a_Vocals.wav`."""
    song, _, part = name.rpartition("_")
    return f"{song}{_digits(by)}_{part}"


def _song_name(source: Path) -> str:
    others = (
        (other.stem, other.name) for other in _listed(source.parent) if other.suffix.lower() in AUDIO_SUFFIXES
    )
    return _told_apart(source.stem, source.name, others)


def _folders(folder: Path) -> Iterable[tuple[str, str]]:
    return ((other.name, other.name) for other in _listed(folder) if other.is_dir())


def _listed(folder: Path) -> Iterable[Path]:
    """What lies in a folder; nothing where it is gone, as then nothing lies beside the song any more."""
    return folder.iterdir() if folder.is_dir() else ()


def _told_apart(name: str, whole: str, beside: Iterable[tuple[str, str]]) -> str:
    """A name that FAT holds, with six digits of a hash where another beside it would be the same there.

    whole: the name with its suffix, by which a thing is told from those beside it: (name, whole) each."""
    safe = safe_name(name) or _NAMELESS
    others = {same_on_fat(safe_name(called) or _NAMELESS) for called, other in beside if other != whole}
    if same_on_fat(safe) in others:
        return f"{safe}{_digits(whole)}"
    return safe


def _digits(text: str) -> str:
    return f"~{hashlib.sha256(os.fsencode(text)).hexdigest()[:6]}"
