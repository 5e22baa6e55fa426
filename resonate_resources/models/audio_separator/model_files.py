"""Which files a model of audio-separator is made of, by its own lists, and where they are to be had."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError, probe

_RELEASES = "https://github.com/TRvlvr/model_repo/releases/download/all_public_uvr_models/"
_OWN_RELEASES = "https://github.com/nomadkaraoke/python-audio-separator/releases/download/model-configs/"
_DATA = "https://raw.githubusercontent.com/TRvlvr/application_data/main/"

_LIST = {"download_checks.json": _DATA + "filelists/download_checks.json"}
"""Ultimate Vocal Remover's list; audio-separator adds its own, which is part of the package."""
_BY_HASH = {
    "vr_model_data.json": _DATA + "vr_model_data/model_data_new.json",
    "mdx_model_data.json": _DATA + "mdx_model_data/model_data_new.json",
}
"""Parameters of the models that have no file for them; found by the hash of the model."""


def files_of(model: str, directory: Path, package: Path) -> Mapping[str, str]:
    """File name → address, for all that `model` needs in `directory`; the model itself comes first.

    package: the folder of the package audio_separator. Raises ModelError for a model that is in no list.
    """
    own = json.loads((package / "models.json").read_text(encoding="utf-8"))
    if (parts := _parts(own, model)) is not None:
        return {**_at(_OWN_RELEASES, parts), **_LIST}
    listed = directory / next(iter(_LIST))
    if not listed.is_file():
        return {
            **_at(_RELEASES, (model,)),
            **_LIST,
        }  # what belongs to it is in the list that is yet to be had
    try:
        known = json.loads(listed.read_text(encoding="utf-8"))
        parts = _parts(known, model)
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{listed}: is not the list that it should be; delete it") from error
    if parts is None:
        raise ModelError(f"{model}: audio-separator knows no such model")
    return {**_at(_RELEASES, parts), **_LIST}


def why_missing(files: Mapping[str, str], directory: Path) -> str | None:
    """One line on the files that are neither in `directory` nor to be had; None if there are none.

    Asks the hub, within a few seconds, for one of them: what can reach it can reach the others.
    """
    missing = missing_files(files, directory)
    if not missing:
        return None
    address = files[missing[0]]
    try:
        probe(address)
    except (OSError, HTTPException) as error:
        return advice(missing, directory, address, error)
    return None


def missing_files(files: Mapping[str, str], directory: Path) -> tuple[str, ...]:
    return tuple(name for name in files if not (directory / name).is_file())


def advice(missing: Iterable[str], directory: Path, address: str, reason: object) -> str:
    return (
        f"{', '.join(missing)}: not in {directory} and not to be had from {address} ({reason}); "
        f"fetch what is missing where there is a network and put it into that folder"
    )


def _parts(lists: Mapping[str, Any], model: str) -> tuple[str, ...] | None:
    """The model, and the file of its parameters if it has one."""
    return next((parts for parts in _models(lists) if parts[0] == model), None)


def _models(lists: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, models in lists.items():
        if key.startswith(("vr_", "mdx_", "mdx23c_", "roformer_")) and key.endswith("_list"):
            for files in models.values():
                if isinstance(files, str):
                    yield (files,)
                else:
                    yield from files.items()


def _at(address: str, parts: tuple[str, ...]) -> dict[str, str]:
    """Parameters are all in audio-separator's own release; those of a model without a file go by its hash."""
    model, *parameters = parts
    return {model: address + model, **({name: _OWN_RELEASES + name for name in parameters} or _BY_HASH)}
