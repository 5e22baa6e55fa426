"""Stems, notes and what is known of a song as one ZIP file, to be sent.

Stored, not compressed: sound gets no smaller. Files in it carry no time, so that a song gives the same bytes again.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from resonate_resources.exporting.names import file_name
from resonate_resources.exporting.song import Song
from resonate_resources.exporting.sound_format import SoundFormat
from resonate_resources.recipe import Product
from resonate_resources.recordings.encoding import whole_or_nothing
from resonate_resources.recordings.recording import Progress, file_sha256

if TYPE_CHECKING:
    from resonate_resources.recipe import Json

_METADATA = "metadata.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that ZIP has


@dataclass(frozen=True)
class Archive:
    """sound: of the stems."""

    sound: SoundFormat = field(default_factory=SoundFormat)

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """One file. Raises AudioError."""
        tags = song.tags
        path = into / "song.zip"
        with TemporaryDirectory(dir=into) as scratch:
            written = self.sound.write(
                song.stems, tags, Path(scratch), lambda done: progress(0.9 * done), song.told()
            )
            files = {
                file_name(tags.artist, tags.title, stem.capitalize(), self.sound.form): file
                for stem, file in written.files.items()
            }
            files |= {
                f"midi/{file_name(tags.artist, tags.title, stem.capitalize(), 'mid')}": file
                for stem, file in song.notes.items()
            }
            with whole_or_nothing(path), zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_entry(_METADATA), _metadata(song, files))
                for name, file in files.items():
                    entry = _entry(name)
                    entry.file_size = file.stat().st_size  # by which it is decided whether sizes take 64 bits
                    with file.open("rb") as source, archive.open(entry, "w") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        progress(1.0)
        notes = [*written.notes]
        if not song.grid.beats_s:
            notes.append("no beats were found: metadata.json has none")
        return Product({file_name(tags.artist, tags.title, "Stems", "zip"): path}, notes=tuple(notes))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _metadata(song: Song, files: Mapping[str, Path]) -> bytes:
    """Times in seconds from the recordings' first sample."""
    told: dict[str, Json] = {
        "resonate": version("resonate-studio"),
        "track": song.track,
        "tags": song.tags.to_json(),
        "beats": [asdict(beat) for beat in song.beats()],
        "sections": [asdict(section) for section in song.sections],
        "keys": [asdict(key) for key in song.keys],
        "provenance": song.provenance.to_json() if song.provenance else None,
        "files": {name: {"sha256": file_sha256(path)} for name, path in files.items()},
    }
    return json.dumps(told, indent=1, ensure_ascii=False).encode(errors="backslashreplace")
