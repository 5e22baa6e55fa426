"""Which files of a music library a DJ has chosen: the Serato and rekordbox libraries in it and beside it."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from resonate_resources.ingestion.crates import Chosen, Crate, rekordbox_playlists, serato_crates
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.serato_crate import FOLDER, SUBCRATES, SUFFIX, drive_of

XML = ".xml"
_HEAD_BYTES = 4096
_ROOT = b"<DJ_PLAYLISTS"
_TAIL = 2
"""The file's name and its folder's: so many must agree where a crate was written on another machine."""


@dataclass(frozen=True)
class DJLibraries:
    """serato: folders that have a `_Serato_`; rekordbox: XML files. stamp: changes when one of their files does."""

    serato: tuple[Path, ...]
    rekordbox: tuple[Path, ...]
    stamp: str

    def read(self) -> Chosen:
        """All their crates and playlists, and what could not be read of them."""
        found = [*map(serato_crates, self.serato), *map(rekordbox_playlists, self.rekordbox)]
        return Chosen(
            tuple(crate for each in found for crate in each.crates),
            tuple(line for each in found for line in each.broken),
        )


def dj_libraries(folder: Path, within: Iterable[str]) -> DJLibraries:
    """Of a folder. within: crates and XML files below it. Looked at beside it: a `_Serato_` in any folder above, up
    to the root of the drive, where Serato keeps it, and XML files in the folder above."""
    drive = drive_of(folder / FOLDER)
    above = [place for place in folder.parents if place.is_relative_to(drive)]
    crates = [Path(name) for name in within if is_crate(name)]
    xmls = {Path(name) for name in within if name.lower().endswith(XML)}
    with suppress(OSError):
        xmls |= {path for path in folder.parent.iterdir() if path.suffix.lower() == XML}
    for place in above:
        with suppress(OSError):
            crates += [path for path in (place / FOLDER / SUBCRATES).iterdir() if is_crate(str(path))]
    rekordbox = sorted(filter(_is_rekordbox, xmls))
    stamps = [(str(path), *_stat(path)) for path in sorted([*crates, *rekordbox])]
    return DJLibraries(
        tuple(sorted({path.parents[2] for path in crates})),
        tuple(rekordbox),
        hashlib.sha256(repr(stamps).encode(errors="surrogateescape")).hexdigest(),
    )


def is_crate(path: str) -> bool:
    """Whether a path is that of a crate in a `_Serato_` folder."""
    return path.lower().endswith(SUFFIX) and PurePath(path).parts[-3:-1] == (FOLDER, SUBCRATES)


def crates_of(crates: Sequence[Crate], uris: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """URI → names of the crates that it is in, of those that are in any.

    A path of a crate is a file's own, or stands for the one file that agrees in its name, its folder's and most of
    those above, but for letters' case and composition: libraries move between machines, drives and containers.
    """
    found: dict[str, list[str]] = {}
    for crate, _, match in _matched(crates, uris):
        if match is not None:
            found.setdefault(match, []).append(crate.name)
    return {uri: tuple(dict.fromkeys(names)) for uri, names in found.items()}


def absent_of(crates: Sequence[Crate], uris: Iterable[str]) -> tuple[str, ...]:
    """How many files of each crate are neither among these nor elsewhere, one line each; nothing of whole ones."""
    lacking: dict[int, int] = {}
    for crate, file, match in _matched(crates, uris):
        if match is None and not os.path.exists(file):  # noqa: PTH110 — what can't be a path raises nothing
            lacking[id(crate)] = lacking.get(id(crate), 0) + 1
    return tuple(
        f"{printable_name(crate.name)}: {lacking[id(crate)]} of its {len(crate.files)} files not found"
        for crate in crates
        if id(crate) in lacking
    )


def _matched(crates: Sequence[Crate], uris: Iterable[str]) -> Iterator[tuple[Crate, Path, str | None]]:
    """Each file of each crate, and which of these it means."""
    known = set(uris)
    by_name: dict[str, list[str]] = {}
    for uri in sorted(known):
        by_name.setdefault(_folded(PurePath(uri).name), []).append(uri)
    for crate in crates:
        for file in crate.files:
            yield crate, file, str(file) if str(file) in known else _alike(file, by_name)


def _alike(file: Path, by_name: Mapping[str, Sequence[str]]) -> str | None:
    wanted = _parts(str(file))
    agreeing = sorted(
        ((_common(wanted, _parts(uri)), uri) for uri in by_name.get(_folded(file.name), ())), reverse=True
    )
    if not agreeing or agreeing[0][0] < _TAIL:
        return None
    if len(agreeing) > 1 and agreeing[0][0] == agreeing[1][0]:  # either may be meant
        return None
    return agreeing[0][1]


def _parts(path: str) -> list[str]:
    """From the file's name upwards."""
    return [_folded(part) for part in reversed(PurePath(path).parts)]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in _agreeing(one, other))


def _agreeing(one: Sequence[str], other: Sequence[str]) -> Iterator[None]:
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return
        yield


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_rekordbox(xml: Path) -> bool:
    try:
        with xml.open("rb") as file:
            return _ROOT in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # gone since, or a link to nothing: told when it is read
        return 0, 0
    return found.st_size, found.st_mtime_ns
