"""Exports: folders for people and their programs, `exports/{Artist} - {Title}_{Hash}/`.

Copies, so that a DAW which writes into a file can't reach an artefact.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from resonate_resources.recipe import Json
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.store import Store, new_directory

# What Windows, macOS or a URL can't have in a name, and surrogates, which are no letters.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]+')
_NAME_BYTES = 180  # of the 255 a file name may have: leaves room for the hash and for temporary names


def folder_name(artist: str | None, title: str | None, sha256: str) -> str:
    """`{Artist} - {Title}_{Hash}`, safe as a file name on every system; Hash is 12 hex digits of the source's."""
    name = " - ".join(part for part in (artist or "Unknown Artist", title or "Untitled"))
    name = _UNSAFE.sub(" ", name)
    name = re.sub(r"\s+", " ", name).strip(" .")
    name = name.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .")
    return f"{name}_{sha256[:12]}"


def export(
    store: Store, folder: str, files: Mapping[str, tuple[Artefact, str]], facts: Mapping[str, Json]
) -> list[str]:
    """Copy files of artefacts into a folder, and write `metadata.json` last. Returns the names of what is there.

    files: name in the folder → artefact and the name there. What is there already, unchanged by its recorded
    hash and size, is not copied again; what an earlier export left and this one does not have is removed.
    """
    base = f"exports/{folder}"
    earlier = _recorded(store, base)
    hashes = {name: artefact.manifest.files[inner].sha256 for name, (artefact, inner) in files.items()}
    stale = [
        name
        for name, (artefact, inner) in files.items()
        if earlier.get(name) != hashes[name]
        or store.size(f"{base}/{name}") != artefact.manifest.files[inner].size
    ]
    gone = earlier.keys() - hashes.keys()
    if stale or gone:
        # Killed from here on, the record must not vouch for files that are being replaced, nor lose sight of any.
        _record(store, base, facts, {**earlier, **hashes, **dict.fromkeys([*stale, *gone], "")})
    for name in gone:
        store.delete(f"{base}/{name}")
    with new_directory(store, "export") as into:
        for name in stale:
            artefact, inner = files[name]
            copy = into / Path(inner).name
            shutil.copyfile(artefact.path(inner), copy)
            store.adopt(copy, f"{base}/{name}")
    _record(store, base, facts, hashes)
    return [*files, "metadata.json"]


def _record(store: Store, base: str, facts: Mapping[str, Json], hashes: Mapping[str, str]) -> None:
    record = {**facts, "files": {name: {"sha256": digest} for name, digest in hashes.items()}}
    # A file name that is no UTF-8 holds lone surrogates, which `backslashreplace` writes as JSON's own escapes.
    text = json.dumps(record, indent=1, ensure_ascii=False).encode(errors="backslashreplace")
    store.write(f"{base}/metadata.json", text)


def _recorded(store: Store, base: str) -> dict[str, str]:
    """Name → hash as the folder's metadata.json tells; empty where it is missing or a user has broken it."""
    try:
        files = json.loads(store.read(f"{base}/metadata.json") or b"{}")["files"]
        # What stands in a file that anybody may edit never reaches beyond its folder.
        return {
            str(name): str(stored["sha256"])
            for name, stored in files.items()
            if name and ".." not in name.split("/")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
