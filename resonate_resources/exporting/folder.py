"""Exports: folders for people and their programs, `exports/{Artist} - {Title}_{Hash}/`.

Copies, so that a DAW which writes into a file can't reach an artefact. What a person or a program has changed in
the folder is theirs: it is left, or put aside, and never written over.

    exports/<folder>/…           the files, and metadata.json
    exported/<track>.json        what was put there, by name, size, hash and the store's stamp
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from resonate_resources.exporting.label import Label
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.store import Store, new_directory

METADATA = "metadata.json"
_AT_ONCE = 2  # copies that are labelled beside each other: one reads while one computes


@dataclass(frozen=True)
class Outgoing:
    """A file of an artefact that goes out, and what its copy is labelled with; None: it goes as it is."""

    artefact: Artefact
    name: str
    label: Label | None = None

    def digest(self) -> str:
        """SHA-256 of what the copy is made from."""
        made_from = [
            self.artefact.manifest.files[self.name].sha256,
            self.label.digest() if self.label else "",
        ]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()

    def copy(self, path: Path) -> None:
        """Raises AudioError and OSError."""
        shutil.copyfile(self.artefact.path(self.name), path)
        if self.label:
            self.label.write(path)


@dataclass(frozen=True)
class Exported:
    """What came of an export. files: name in the folder → SHA-256; edited: names that are not as we left them, and
    stay so; aside: names of files that were edited and gave way, as they are called now."""

    files: Mapping[str, str]
    edited: tuple[str, ...]
    aside: tuple[str, ...]


@dataclass(frozen=True)
class _Copy:
    """A file as we left it. made_from: `Outgoing.digest()`, or empty while it is being written."""

    made_from: str
    sha256: str = ""
    size: int = 0
    stamp: str = ""


@dataclass(frozen=True)
class _Record:
    folder: str
    copies: Mapping[str, _Copy] = field(default_factory=dict)


def export(
    store: Store, track: str, folder: str, files: Mapping[str, Outgoing], facts: Mapping[str, Json]
) -> Exported:
    """Bring a folder to hold these files, and write what is known of the track to its `metadata.json` last.

    files: name in the folder → what goes there. What is there and made from the same is not copied again. What an
    earlier export of the track left, in this or another folder, and this one does not have, is removed, unless it
    was changed since. Raises AudioError and OSError.
    """
    before = _recorded(store, track)
    if before.folder != folder:
        _clear(store, before)
        before = _Record(folder)
    there, base = before.copies, f"exports/{folder}"
    wanted = {name: outgoing.digest() for name, outgoing in files.items()}
    same = {name for name in files if name in there and there[name].made_from == wanted[name]}
    changed = {name for name in files if _is_changed(store, f"{base}/{name}", there.get(name))}
    stale = [name for name in files if name not in same or store.stat(f"{base}/{name}") is None]
    gone = [name for name in there if name not in files]
    aside = [_put_aside(store, f"{base}/{name}") for name in stale if name in changed]
    if stale or gone:
        # Killed from here on, the record must not vouch for files that are being replaced, nor lose sight of any.
        _write(store, track, _Record(folder, {**there, **dict.fromkeys(stale, _Copy(""))}))
    for name in gone:
        _remove(store, f"{base}/{name}", there[name])
    copies = {**there, **dict(_copied(store, base, {name: files[name] for name in stale}))}
    copies = {name: copies[name] for name in files}
    _write(store, track, _Record(folder, copies))
    hashes = {name: copy.sha256 for name, copy in copies.items()}
    edited = tuple(name for name in files if name in same and name in changed)
    _tell(store, base, hashes, facts)
    return Exported(hashes, edited, tuple(aside))


def folder_of(store: Store, track: str) -> str | None:
    """The folder that a track was exported into, as a key; None where it was not."""
    folder = _recorded(store, track).folder
    return f"exports/{folder}" if folder else None


def forget(store: Store, track: str, *, keep_files: bool = False) -> None:
    """Remove what was exported of a track, and the record of it. What somebody changed or put there stays."""
    if not keep_files:
        _clear(store, _recorded(store, track))
    store.delete(_record_key(track))


def _clear(store: Store, record: _Record) -> None:
    for name, copy in record.copies.items():
        _remove(store, f"exports/{record.folder}/{name}", copy)
    if record.folder:
        store.delete(f"exports/{record.folder}/{METADATA}")


def _remove(store: Store, key: str, copy: _Copy) -> None:
    if not _is_changed(store, key, copy):
        store.delete(key)


def _copied(store: Store, base: str, files: Mapping[str, Outgoing]) -> Iterator[tuple[str, _Copy]]:
    with new_directory(store, "export") as into, ThreadPoolExecutor(_AT_ONCE) as pool:

        def made(numbered: tuple[int, Outgoing]) -> Path:
            number, outgoing = numbered
            path = into / f"{number}{PurePosixPath(outgoing.name).suffix}"
            outgoing.copy(path)
            return path

        for (name, outgoing), path in zip(
            files.items(), pool.map(made, enumerate(files.values())), strict=True
        ):
            size, sha256 = path.stat().st_size, file_sha256(path)
            store.adopt(path, f"{base}/{name}")
            found = store.stat(f"{base}/{name}")
            yield name, _Copy(outgoing.digest(), sha256, size, found.stamp if found else "")


def _is_changed(store: Store, key: str, copy: _Copy | None) -> bool:
    """Whether there is a file which is not the one that we left: somebody else's, or changed since."""
    found = store.stat(key)
    if found is None or (copy is not None and not copy.made_from):
        return False
    if copy is None or found.size != copy.size:
        return True
    return found.stamp != copy.stamp and file_sha256(store.fetch(key)) != copy.sha256


def _put_aside(store: Store, key: str) -> str:
    """Call a file `… (edited).wav`, or `… (edited 2).wav` where there is one; gives its new name."""
    path = PurePosixPath(key)
    numbers = iter(range(2, 1_000_000))
    aside = path.with_stem(f"{path.stem} (edited)")
    while store.stat(str(aside)) is not None:
        aside = path.with_stem(f"{path.stem} (edited {next(numbers)})")
    with new_directory(store, "aside") as into:
        shutil.copyfile(store.fetch(key), into / path.name)
        store.adopt(into / path.name, str(aside))
    store.delete(key)
    return aside.name


def _tell(store: Store, base: str, hashes: Mapping[str, str], facts: Mapping[str, Json]) -> None:
    record = {**facts, "files": {name: {"sha256": digest} for name, digest in hashes.items()}}
    # A file name that is no UTF-8 holds lone surrogates, which `backslashreplace` writes as JSON's own escapes.
    text = json.dumps(record, indent=1, ensure_ascii=False).encode(errors="backslashreplace")
    store.write(f"{base}/{METADATA}", text)


def _record_key(track: str) -> str:
    return f"exported/{track}.json"


def _write(store: Store, track: str, record: _Record) -> None:
    store.write(_record_key(track), json.dumps(asdict(record), indent=1).encode())


def _recorded(store: Store, track: str) -> _Record:
    """What was put there before; nothing where that is not known."""
    try:
        values = json.loads(store.read(_record_key(track)) or b"")
        return _Record(values["folder"], {name: _Copy(**copy) for name, copy in values["copies"].items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Record("")
