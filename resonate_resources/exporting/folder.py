"""Exports: folders for people and their programs, `exports/{Artist} - {Title}_{Hash}/`.

Copies, so that a DAW which writes into a file can't reach an artefact. What a person or a program has changed in
the folder, or put there, is theirs: it is left, or called by another name, and never written over or removed.

    exports/<folder>/…           the files, and metadata.json
    exported/<track>.json        what was put there, by name, size, hash and the store's stamp
    mirrored/…                   stems in folders as those of the library, of all tracks
    exported/mirrored/<track>.json
    exported/mirrored/names/…    the track that holds a name there, as long as its record does
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from resonate_resources.exporting.conversion import Conversion
from resonate_resources.exporting.label import Label
from resonate_resources.exporting.mirrored import told_apart
from resonate_resources.exporting.names import same_on_fat
from resonate_resources.exporting.targets import MIRRORED
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, file_sha256
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.store import Store, new_directory

METADATA = "metadata.json"
_AT_ONCE = 2  # copies that are labelled beside each other: one reads while one computes


@dataclass(frozen=True)
class Outgoing:
    """A file of an artefact that goes out, and what its copy is labelled with; None: it goes as it is. conversion:
    where it goes out in another form."""

    artefact: Artefact
    name: str
    label: Label | None = None
    conversion: Conversion | None = None

    def digest(self) -> str:
        """SHA-256 of what the copy is made from."""
        made_from = [
            self.artefact.manifest.files[self.name].sha256,
            self.label.digest() if self.label else "",
            *([self.conversion.digest()] if self.conversion else []),
        ]
        return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()

    def copy(self, path: Path) -> None:
        """Raises AudioError and OSError."""
        label = self.label
        if self.conversion:
            level = self.conversion.take(self.name, path)
            label = label and replace(label, level=level)
        else:
            shutil.copyfile(self.artefact.path(self.name), path)
        if label:
            label.write(path)


@dataclass(frozen=True)
class Exported:
    """What came of an export. files: name in the folder → SHA-256; edited: names that are not as we left them, and
    stay so; aside: what was changed and gave way, as it is called now."""

    files: Mapping[str, str]
    edited: tuple[str, ...]
    aside: tuple[str, ...]


@dataclass(frozen=True)
class _Copy:
    """A file as we left it, or mean to. made_from: `Outgoing.digest()`; stamp: empty until it is there."""

    made_from: str
    sha256: str
    size: int
    stamp: str = ""


@dataclass(frozen=True)
class _Record:
    """left: name → how we left it. coming: what takes its place: killed in between, either of both is ours."""

    folder: str
    left: Mapping[str, _Copy] = field(default_factory=dict)
    coming: Mapping[str, _Copy] = field(default_factory=dict)

    def of(self, name: str) -> list[_Copy]:
        return [copies[name] for copies in (self.left, self.coming) if name in copies]

    def names(self) -> list[str]:
        return [*dict.fromkeys((*self.left, *self.coming))]


@dataclass(frozen=True)
class Shelf:
    """Where folders stand, and what is recorded of them."""

    name: str
    records: str

    def base(self, folder: str) -> str:
        return f"{self.name}/{folder}".rstrip("/")

    def record(self, track: str) -> str:
        return f"{self.records}/{track}.json"

    def holder(self, name: str) -> str:
        """Where it stands which track holds a name, in a tree for all tracks."""
        return f"{self.records}/names/{hashlib.sha256(_same(name).encode()).hexdigest()[:32]}"


EXPORTS = Shelf("exports", "exported")
MIRRORED_LIBRARY = Shelf(MIRRORED, f"exported/{MIRRORED}")
"""One tree for all tracks: a track's folder in it is "", the top."""


def export(
    store: Store,
    track: str,
    folder: str,
    files: Mapping[str, Outgoing],
    facts: Mapping[str, Json] | None,
    shelf: Shelf = EXPORTS,
    *,
    path: str | None = None,
) -> Exported:
    """Bring a folder to hold these files, and what is known of the track in its `metadata.json`, if anything.

    files: name in the folder → what goes there. What is there and made from the same is not copied again. What an
    earlier export of the track left, in this or another folder, and this one does not have, is removed, unless it
    was changed since. path: of the source, in a tree for all tracks: there, names that another track holds are told
    apart by it. Raises AudioError, at the end, where something else stands in the way, and OSError.
    """
    base, record = shelf.base(folder), _recorded(store, shelf, track)
    if not files and facts is None and not record.names():
        return Exported({}, (), ())
    if path is not None and files:
        with store.exclusive("exported"):
            files = dict(zip(_held(store, shelf, track, list(files), path), files.values(), strict=True))
    with new_directory(store, "export") as into:
        made = dict(_copied(store, into, base, files, record))
        if facts is not None:
            text = metadata_json(facts, files, {name: copy.sha256 for name, (copy, _) in made.items()})
            (into / METADATA).write_bytes(text)
            made[METADATA] = _Copy("", hashlib.sha256(text).hexdigest(), len(text)), into / METADATA
        with store.exclusive("exported"):
            return _put(store, shelf, track, folder, made)


def folder_of(store: Store, track: str) -> str | None:
    """The folder that a track was exported into, as a key; None where it was not."""
    folder = _recorded(store, EXPORTS, track).folder
    return EXPORTS.base(folder) if folder else None


def mirrored_names(store: Store, track: str) -> list[str]:
    """Names in the mirrored library of what stands there of a track."""
    return _recorded(store, MIRRORED_LIBRARY, track).names()


def forget(store: Store, track: str, *, keep_files: bool = False) -> None:
    """Remove what was exported of a track, and the record of it. What somebody changed or put there stays."""
    with store.exclusive("exported"):
        for shelf in (EXPORTS, MIRRORED_LIBRARY):
            record = _recorded(store, shelf, track)
            if not keep_files:
                _clear(store, shelf, record, record.names())
            store.unlink(shelf.record(track))
            if shelf is MIRRORED_LIBRARY:
                for name in record.names():
                    if store.read(shelf.holder(name)) == track.encode():
                        store.unlink(shelf.holder(name))


def _held(store: Store, shelf: Shelf, track: str, names: Sequence[str], path: str) -> list[str]:
    """These names, or such as are told apart by the path, so that no other track holds one; from now on, this track
    does. It keeps those that it has."""
    record = _recorded(store, shelf, track)
    forms = [[*names], *([told_apart(name, by) for name in names] for by in (path, f"{path}/{track}"))]
    free = [
        form for form in forms if all(_holder(store, shelf, record, name) in (None, track) for name in form)
    ] or forms[-1:]
    held = next((form for form in free if not {*form}.isdisjoint(record.names())), free[0])
    for name in held:
        if store.read(shelf.holder(name)) != track.encode():
            store.write(shelf.holder(name), track.encode())
    if new := {*held} - {*record.names()}:
        meant = {name: _Copy("", "", -1) for name in new}
        _write(store, shelf, track, replace(record, coming={**record.coming, **meant}))
    return held


def _holder(store: Store, shelf: Shelf, own: _Record, name: str) -> str | None:
    """The track whose record holds a name, as FAT takes it. own: of the track that asks."""
    said = (store.read(shelf.holder(name)) or b"").decode()
    if said:
        return said if _holds(_recorded(store, shelf, said), name) else None
    if _holds(own, name) or store.holds(shelf.base(""), name) == "nothing":
        return None
    # It is there from before holders were written down.
    tracks = [
        PurePosixPath(entry.key).stem for entry in store.entries(shelf.records) if entry.key.endswith(".json")
    ]
    return next((each for each in tracks if _holds(_recorded(store, shelf, each), name)), None)


def _holds(record: _Record, name: str) -> bool:
    return _same(name) in map(_same, record.names())


def _same(name: str) -> str:
    return same_on_fat(name.encode(errors="backslashreplace").decode())


def _copied(
    store: Store, into: Path, base: str, files: Mapping[str, Outgoing], record: _Record
) -> Iterator[tuple[str, tuple[_Copy, Path | None]]]:
    """(name, (the file as it is to be, where it was made)) of each; None: it is there already, changed or not."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def made(numbered: tuple[int, tuple[str, Outgoing]]) -> tuple[_Copy, Path | None]:
            number, (name, outgoing) = numbered
            left = (
                None if name in record.coming else record.left.get(name)
            )  # a killed export may have put either
            if left and left.made_from == outgoing.digest() and _is_there(store, base, name):
                return left, None
            path = into / f"{number}{PurePosixPath(name).suffix}"
            outgoing.copy(path)
            return _Copy(outgoing.digest(), file_sha256(path), path.stat().st_size), path

        yield from zip(files, pool.map(made, enumerate(files.items())), strict=True)


def _put(
    store: Store, shelf: Shelf, track: str, folder: str, made: Mapping[str, tuple[_Copy, Path | None]]
) -> Exported:
    """Put what was made into the folder, looking at each place right before: it may have been hours."""
    base = shelf.base(folder)
    before = _recorded(store, shelf, track)
    if before.folder and before.folder != folder:
        _clear(store, shelf, before, before.names())
    if before.folder != folder:
        before = _Record(folder)
    coming = {name: copy for name, (copy, path) in made.items() if path is not None}
    _write(store, shelf, track, _Record(folder, before.left, coming))
    _clear(store, shelf, before, before.names() - made.keys())
    left: dict[str, _Copy] = {}
    edited, aside, blocked = [], [], []
    for name, (copy, path) in made.items():
        held = store.holds(base, name)
        if held == "blocked":
            blocked.append(name)
        elif path is None:
            left[name] = copy
            there = store.stat(f"{base}/{name}") if held == "file" else None
            as_left = there is not None and (there.size, there.stamp) == (copy.size, copy.stamp)
            if not as_left and not _is_ours(store, base, name, [copy]):
                edited.append(name)
        else:
            if held != "nothing" and not _is_ours(store, base, name, [*before.of(name), copy]):
                aside.append(_put_aside(store, base, name))
                held = "nothing"
            if held == "nothing" or not _is_ours(store, base, name, [copy]):
                store.adopt(path, f"{base}/{name}")
            there = store.stat(f"{base}/{name}")
            left[name] = replace(copy, stamp=there.stamp if there else "")
    _write(store, shelf, track, _Record(folder, left))
    if blocked:
        raise AudioError(
            f"{store.location(f'{base}/{blocked[0]}')}: something else stands where its folder belongs; move it "
            "away, and process the track again"
        )
    hashes = {name: copy.sha256 for name, copy in left.items() if name != METADATA}
    return Exported(hashes, tuple(edited), tuple(aside))


def _clear(store: Store, shelf: Shelf, record: _Record, names: Collection[str]) -> None:
    """Remove files of ours, and nothing else."""
    base = shelf.base(record.folder)
    for name in names:
        if _is_ours(store, base, name, record.of(name)):
            store.unlink(f"{base}/{name}")


def _is_there(store: Store, base: str, name: str) -> bool:
    """Whether anything is, be it ours or not: what is missing is made anew, what was changed is not."""
    return store.holds(base, name) in ("file", "other")


def _is_ours(store: Store, base: str, name: str, copies: Sequence[_Copy]) -> bool:
    """Whether a file is one of these, byte by byte: programs may set back the time of what they change."""
    if not copies or store.holds(base, name) != "file":
        return False
    found = store.stat(f"{base}/{name}")
    alike = [copy for copy in copies if found is not None and found.size == copy.size]
    return bool(alike) and file_sha256(store.fetch(f"{base}/{name}")) in {copy.sha256 for copy in alike}


def _put_aside(store: Store, base: str, name: str) -> str:
    """Call what there is `… (edited).wav`, or `… (edited 2).wav` where there is one; gives its new name."""
    path = PurePosixPath(name)
    numbers = iter(range(2, 1_000_000))
    aside = path.with_stem(f"{path.stem} (edited)")
    while store.holds(base, str(aside)) != "nothing":
        aside = path.with_stem(f"{path.stem} (edited {next(numbers)})")
    store.rename(f"{base}/{name}", f"{base}/{aside}")
    return str(aside)


def metadata_json(
    facts: Mapping[str, Json], files: Mapping[str, Outgoing], digests: Mapping[str, str]
) -> bytes:
    """facts, and of each file its SHA-256 and the stage that made it."""
    told = {
        name: {"sha256": digest, "stage": files[name].artefact.manifest.stage}
        for name, digest in digests.items()
    }
    # A file name that is no UTF-8 holds lone surrogates, which `backslashreplace` writes as JSON's own escapes.
    return json.dumps({**facts, "files": told}, indent=1, ensure_ascii=False).encode(
        errors="backslashreplace"
    )


def _write(store: Store, shelf: Shelf, track: str, record: _Record) -> None:
    store.write(shelf.record(track), json.dumps(asdict(record), indent=1).encode())


def _recorded(store: Store, shelf: Shelf, track: str) -> _Record:
    """What was put there before; nothing where that is not known."""
    try:
        values = json.loads(store.read(shelf.record(track)) or b"")
        copies = {
            kind: {name: _Copy(**copy) for name, copy in values[kind].items()} for kind in ("left", "coming")
        }
        return _Record(values["folder"], **copies)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Record("")
