"""Serato's crates: lists of files, in fields of a four-letter tag, a length and a content.

Lengths are big-endian, text is UTF-16-BE. Paths count from the root of the drive that the crate's `_Serato_` folder
is on. Source: Holzhaus, triseratops, `src/library`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

FOLDER = "_Serato_"
SUBCRATES = "Subcrates"
SUFFIX = ".crate"
PARENT = "%%"
"""Stands between the names of a crate and of those in it: `House%%Deep.crate`."""

_VERSION = "1.0/Serato ScratchLive Crate"
_COLUMNS = ("song", "artist", "bpm", "key", "album", "length", "comment")


def paths_in(crate: bytes) -> list[str]:
    """The paths of a crate's tracks, without a leading slash, as they stand there. Raises ValueError where it is
    broken or no crate."""
    fields = list(_fields(crate))
    if not fields or fields[0][0] != b"vrsn":
        raise ValueError("it does not begin as a crate does")
    tracks = [dict(_fields(content)) for tag, content in fields if tag == b"otrk"]
    return [track[b"ptrk"].decode("utf-16-be") for track in tracks if b"ptrk" in track]


def with_tracks(crate: bytes | None, paths: Iterable[str]) -> bytes:
    """A crate that has these paths after those that it has; what else is in it stays. None: a new one.

    Raises ValueError where the crate is broken.
    """
    known = set(paths_in(crate)) if crate is not None else set()
    new = [path for path in dict.fromkeys(paths) if path not in known]
    tracks = [_field("otrk", _field("ptrk", _text(path))) for path in new]
    return b"".join([_empty() if crate is None else crate, *tracks])


def drive_of(path: Path) -> Path:
    """The root of the drive that an absolute path is on."""
    return next((parent for parent in path.parents if parent.is_mount()), Path(path.anchor))


def path_on(drive: PurePath, path: PurePath) -> str:
    """How a crate on that drive names a file. Raises ValueError for one that is elsewhere."""
    return path.relative_to(drive).as_posix()


def _fields(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        if len(data) < at + 8:
            raise ValueError("it ends within a field")
        tag, length = struct.unpack_from(">4sI", data, at)
        if len(data) < at + 8 + length:
            raise ValueError("it ends within a field")
        yield tag, data[at + 8 : at + 8 + length]
        at += 8 + length


def _empty() -> bytes:
    columns = [_field("ovct", _field("tvcn", _text(name)) + _field("tvcw", _text("0"))) for name in _COLUMNS]
    return b"".join([_field("vrsn", _text(_VERSION)), *columns])


def _field(tag: str, content: bytes) -> bytes:
    return tag.encode() + struct.pack(">I", len(content)) + content


def _text(text: str) -> bytes:
    return text.encode("utf-16-be")
