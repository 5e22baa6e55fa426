"""Weights of models: where they lie, where they are fetched from, how they are known to be the right ones."""

from __future__ import annotations

import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from resonate_resources.models.download import DownloadError, download
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import AudioError, file_sha256

_PROBE_SECONDS = 3.0
_ASK_AGAIN_SECONDS = 60.0
_unreachable: dict[str, tuple[float, OSError]] = {}
"""Hub → when it could not be reached, on the monotonic clock, and why."""


class ModelError(AudioError):
    """A model that can't be had or used. Nothing is wrong with the track."""


@dataclass(frozen=True)
class ModelFile:
    """A file on a model's own hub. sha256: the published hash in hex, as much of it as is published, if any."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


def models_directory() -> Path:
    """Where weights are kept: $RESONATE_MODELS, else ~/.cache/resonate/models."""
    named = os.environ.get("RESONATE_MODELS")
    return Path(named) if named else Path.home() / ".cache" / "resonate" / "models"


def fetch(file: ModelFile, directory: Path) -> Path:
    """The file, checked; fetched from its hub where it is not in `directory` yet. Raises ModelError."""
    path = directory / file.name
    if not path.is_file():
        try:
            download(file.url, path, file.sha256)
        except DownloadError as error:
            raise ModelError(_advice(file, directory, error)) from error
    elif file.sha256 and not sha256_of_weights(path).startswith(file.sha256):
        raise ModelError(
            f"{path}: is not the published file, or not all of it (its SHA-256 does not begin with "
            f"{file.sha256}); delete it, and it is fetched again from {file.url}"
        )
    return path


_hashed: dict[tuple[Path, int, int], str] = {}
"""(path, size, time of writing) → SHA-256: a gigabyte takes seconds."""


def sha256_of_weights(path: Path) -> str:
    """SHA-256, in hex, of a file of weights that is here; read once a process while it stays as it is."""
    status = path.stat()
    known = path, status.st_size, status.st_mtime_ns
    if known not in _hashed:
        _hashed[known] = file_sha256(path)
    return _hashed[known]


def sha256_of_those_here(paths: Iterable[Path]) -> dict[str, Json]:
    """File name → SHA-256 in hex, of those files that are here."""
    return {path.name: sha256_of_weights(path) for path in paths if path.is_file()}


def why_missing(files: tuple[ModelFile, ...], directory: Path) -> str | None:
    """One line on the first file that is neither here nor to be had from its hub; None if there is none.

    Asks the hub, within a few seconds, only where a file is not here.
    """
    for file in files:
        if (directory / file.name).is_file():
            continue
        try:
            probe(file.url)
        except (OSError, HTTPException) as error:
            return _advice(file, directory, error)
        return None  # what can reach the hub can reach the others
    return None


def probe(url: str) -> None:
    """Ask whether a file is to be had, within a few seconds. Raises OSError or HTTPException where it is not.

    A hub that could not be reached is not asked again for a minute: its files are asked for in a row.
    """
    hub = urlsplit(url).netloc
    failed_at, failure = _unreachable.get(hub, (-_ASK_AGAIN_SECONDS, OSError()))
    if time.monotonic() - failed_at < _ASK_AGAIN_SECONDS:
        raise failure
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS, context=_certificates()):
            pass
    except urllib.error.HTTPError:
        raise  # the hub is there, the file is not
    except OSError as error:
        _unreachable[hub] = time.monotonic(), OSError(str(error))
        raise


@cache
def _certificates() -> ssl.SSLContext:
    """To load them takes longer than all else that tells which engines can run."""
    return ssl.create_default_context()


def _advice(file: ModelFile, directory: Path, reason: object) -> str:
    return (
        f"{file.name}: not in {directory} and not to be had from {file.url} ({reason}); "
        f"fetch it where there is a network and put it into that folder"
    )
