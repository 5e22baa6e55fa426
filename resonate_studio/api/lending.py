"""Recordings in whose style something is composed, as a client may name them: tracks of the library, and what came
with a form."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from resonate_assets.named_reference import made_of, name_of_track, told_by, track_of
from resonate_resources.composition.reference import Reference
from resonate_resources.ingestion.words import Words
from resonate_resources.recordings.decoding import probe
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.storage.inbox import is_compose
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_studio.api.problems import ProblemError
from resonate_studio.api.uploads import Received

PART = "composition_reference"
_KEPT = 100


class Lent:
    """What tracks of the library lend to compositions, each heard once as it is now. From any thread."""

    def __init__(self, storage: StorageResource) -> None:
        self._storage = storage
        self._heard = lru_cache(_KEPT)(self._hear)

    def of(self, key: str) -> Reference | str:
        """Or why nothing is told of it, for a person. Raises ProblemError where there is no such track, and
        AudioError for what is no music."""
        source = require_track(self._storage, key)
        made = made_of(self._storage, key)
        found = self._heard(key, tuple(each.data_version for each in made)) if made else None
        return (
            found or f"{name_of_track(source)}: is not analysed yet; it is heard when the piece is composed"
        )

    def _hear(self, key: str, _versions: tuple[str, ...]) -> Reference | None:
        source, made = require_track(self._storage, key), made_of(self._storage, key)
        return told_by(made, name_of_track(source)).reference if made else None


def require_track(storage: StorageResource, key: str) -> Source:
    """Whatever else a client names is a place on the server. Raises ProblemError."""
    source = track_of(storage, key)
    if source is None:
        told = f"reference: is the key of no track of the library; give a file as the part {PART}"
        raise ProblemError(422, told)
    return source


def refuse_places(file: Path, storage: StorageResource) -> None:
    """Raises ProblemError where a file that came is one of words that name anything but a track of the library, and
    AudioError where its words are none."""
    if is_compose(file.name) and (named := Words.read(file, file.name).reference):
        require_track(storage, named)


def put_beside(received: Received, folder: Path, limits: Limits) -> str:
    """Move the reference that came with a form to where its words will be. Gives how they name it: by its content,
    so that the same words with another one are another track. Raises AudioError where it is no audio."""
    file = received.files.pop(PART)
    probe(file, limits, file.name)
    content = file_sha256(file)[:16]
    (folder / content).mkdir()
    file.replace(folder / content / file.name)
    return f"{content}/{file.name}"
