"""Copies of exported folders, in a place of the user's own. Nothing there is ever deleted or written over."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path, PurePosixPath

from resonate_resources.exporting.folder import METADATA, MIRRORED_LIBRARY, folder_of, mirrored_names
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.storage.store import Store, to_disk
from resonate_studio.stopping import scratch_file

_OF_THE_TARGET = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def copy_export(store: Store, track: str, output: Path) -> Path | None:
    """Bring `output` to hold the folder that a track was exported into, and its `mirrored/` what the mirrored
    library has of it; gives the folder's place there, None where there is no such folder, here or there.

    `metadata.json` comes last: with the one of the export in it, a copy is whole. What is there and is not the same
    is called `… (earlier)`. Raises OSError.
    """
    key = folder_of(store, track)
    if key is None:
        return None
    folder = output / PurePosixPath(key).name
    if _is_same(store, f"{key}/{METADATA}", folder / METADATA):
        return folder
    if store.size(f"{key}/{METADATA}") is None:  # somebody has tidied up
        return folder if (folder / METADATA).is_file() else None
    for name in mirrored_names(store, track):
        _copy(store, MIRRORED_LIBRARY.base(name), output / MIRRORED_LIBRARY.base(name))
    names = [entry.key.removeprefix(f"{key}/") for entry in store.entries(key)]
    for name in sorted(names, key=lambda name: (name == METADATA, name)):
        _copy(store, f"{key}/{name}", folder / name)
    return folder


def _copy(store: Store, key: str, place: Path) -> None:
    if store.size(key) is None or _is_same(store, key, place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with scratch_file(place) as part:
        source = store.fetch(key)
        try:
            shutil.copyfile(source, part)
        except OSError as error:
            if error.errno in _OF_THE_TARGET:  # which copyfile says of the source
                raise OSError(error.errno, error.strerror, str(place)) from error
            raise
        to_disk(part)
        if os.path.lexists(place):
            place.rename(_free(place))


def _is_same(store: Store, key: str, place: Path) -> bool:
    if not place.is_file() or place.stat().st_size != store.size(key):
        return False
    return file_sha256(place) == file_sha256(store.fetch(key))


def _free(place: Path) -> Path:
    number, free = 1, place.with_stem(f"{place.stem} (earlier)")
    while os.path.lexists(free):
        number += 1
        free = place.with_stem(f"{place.stem} (earlier {number})")
    return free
