"""What a DJ program is given to play, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from resonate_resources.exporting.names import file_name
from resonate_resources.exporting.song import Song
from resonate_resources.recordings.encoding import encode_flac

_DELAYED = (".mp3", ".m4a", ".mp4", ".aac")


def owners_file(song: Song, readable: Container[str]) -> Path | None:
    """The file that came in, where it is still there and of a kind (`.mp3`) that the program reads."""
    source = None if song.source_changed else song.source
    return source if source and source.suffix.lower() in readable and source.is_file() else None


def as_flac(song: Song, into: Path) -> Path:
    """The original recording as FLAC of 24 bits, for want of such a file. Raises AudioError."""
    path = into / file_name(song.tags.artist, song.tags.title, "Original", "flac")
    encode_flac(song.original, path)
    return path


def what_to_check(song: Song, path: Path) -> list[str]:
    """Notes, one line each."""
    notes = []
    if song.source_changed:
        notes.append("its file has changed since it came in: the recording as it came in goes out instead")
    if len(song.grid.beats_s) < 2:
        notes.append("no beats were heard: it goes out without a beat grid")
    elif path.suffix.lower() in _DELAYED:
        # mixxx's src/track/serato/tags.cpp has −12 to −60 ms, by decoder and encoder
        notes.append(
            f"{path.suffix[1:].upper()} has a silent start that programs count differently, by up to 60 ms: "
            "see that the first beat of the grid is on the beat; WAV, AIFF and FLAC have none"
        )
    return notes
