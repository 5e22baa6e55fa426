"""Which files a DJ has chosen: the crates of a Serato library, the playlists of a rekordbox collection.

A broken crate says nothing about the others: it is told in one line, and passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.serato_crate import FOLDER, PARENT, SUBCRATES, SUFFIX, drive_of, paths_in

_URL = "file://localhost/"


@dataclass(frozen=True)
class Crate:
    """name: with those that it stands in before it, `House/Deep`. files: in the DJ's order, there or not."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Chosen:
    """broken: what could not be read, one line each."""

    crates: tuple[Crate, ...]
    broken: tuple[str, ...]


def serato_crates(library: Path, drive: Path | None = None) -> Chosen:
    """Of a folder that has a `_Serato_` in it, or is one.

    drive: what its paths count from; None: the root of the drive that it is on.
    """
    folder = library if library.name == FOLDER else library / FOLDER
    drive = drive or drive_of(folder.absolute())
    crates: list[Crate] = []
    broken: list[str] = []
    try:
        # A dot before the name is what macOS keeps beside files on foreign drives.
        paths = sorted(
            path
            for path in (folder / SUBCRATES).iterdir()
            if path.suffix.lower() == SUFFIX and not path.name.startswith(".")
        )
    except OSError as error:
        return Chosen((), (f"{printable_name(str(folder))}: has no crates of Serato's ({_why(error)})",))
    for path in paths:
        try:
            files = tuple(drive / each.lstrip("/") for each in paths_in(path.read_bytes()))
        except (OSError, ValueError) as error:
            broken.append(
                f"{printable_name(path.name)}: can't be read as a crate ({_why(error)}); save it in Serato anew"
            )
        else:
            crates.append(Crate(path.stem.replace(PARENT, "/"), files))
    return Chosen(tuple(crates), tuple(broken))


def rekordbox_playlists(xml: Path) -> Chosen:
    """Of a collection that rekordbox has exported as XML. Playlists before a place where it breaks off are told."""
    crates: list[Crate] = []
    broken: list[str] = []
    try:
        for name, files, missing in _playlists(xml):
            crates.append(Crate(name, files))
            if missing:
                told = f"tracks that the collection does not have ({missing})"
                broken.append(f"{printable_name(xml.name)}: the playlist {printable_name(name)} names {told}")
    except (
        OSError,
        ElementTree.ParseError,
        ValueError,
        LookupError,
    ) as error:  # the last: of no such encoding
        broken.append(
            f"{printable_name(xml.name)}: can't be read ({_why(error)}); export it from rekordbox anew"
        )
    return Chosen(tuple(crates), tuple(broken))


def _playlists(xml: Path) -> Iterator[tuple[str, tuple[Path, ...], int]]:
    """(name, files, how many are missing) of each, as the file is read."""
    by_id: dict[str, Path] = {}
    within: list[ElementTree.Element] = []
    keys: list[str] = []
    root = None
    for event, element in ElementTree.iterparse(xml, ("start", "end")):
        if root is None:
            root = element
            if element.tag != "DJ_PLAYLISTS":
                raise ValueError(f"it holds {printable_name(element.tag)}, not DJ_PLAYLISTS")
        if element.tag == "NODE" and event == "start":
            within.append(element)
            keys = []
        elif element.tag == "NODE":
            if element.get("Type") == "1":
                found = [_file(key, element.get("KeyType") == "1", by_id) for key in keys]
                name = "/".join(node.get("Name", "") for node in within[1:])
                yield name, tuple(file for file in found if file), found.count(None)
            within.pop()
            element.clear()
        elif element.tag == "TRACK" and event == "end":
            if within:
                keys.append(element.get("Key", ""))
            elif (location := element.get("Location", "")).startswith(_URL):
                by_id[element.get("TrackID", "")] = _path(location)
            element.clear()


def _file(key: str, by_location: bool, by_id: Mapping[str, Path]) -> Path | None:
    if by_location:
        return _path(key) if key.startswith(_URL) else None
    return by_id.get(key)


def _path(location: str) -> Path:
    """`file://localhost/C:/Music/a.mp3` is C:/Music/a.mp3, `file://localhost/Users/…` is /Users/…"""
    path = os.fsdecode(unquote_to_bytes(location.removeprefix(_URL))).lstrip("/")
    return Path(path if path[1:2] == ":" else f"/{path}")


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return " ".join(str(error).split())[:120]
