"""Versions that can be heard: what a stage made that is a recording, by the name that the page calls it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from resonate_resources.mastering.targets import file_name
from resonate_resources.recordings.recording import AudioError, Recording
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_studio.api.problems import not_found

STAGES = {
    "original": "raw_track",
    "mix": "mix",
    "master": "master",
    "stems": "stems",
    "restored_stems": "restored_stems",
    "regenerated_stems": "regenerated_stems",
}
"""What a version's name begins with → the stage that makes it."""
_WHOLE = {"original": "track.wav", "mix": "mix.wav"}
"""The file of a stage that makes one recording; of the others, each .wav is one."""
_ID = re.compile(r"(?P<kind>[a-z0-9_]+)(?::(?P<part>[a-z0-9._-]+))?(?:@(?P<key>[0-9a-f]{16}))?")


@dataclass(frozen=True)
class VersionName:
    """kind: one of STAGES; part: a stem, or one of several masters; key: of an earlier result, None for what counts
    now."""

    kind: str
    part: str | None = None
    key: str | None = None

    @classmethod
    def parse(cls, text: str) -> VersionName | None:
        """None for what is no name of a version."""
        found = _ID.fullmatch(text)
        if found is None or found["kind"] not in STAGES:
            return None
        return cls(found["kind"], found["part"], found["key"])

    def file(self, files: Collection[str]) -> str | None:
        """The one of its stage's files that holds it, without loss; None where there is none."""
        if self.kind == "master":
            names = [file_name(self.part or "", form) for form in ("wav", "flac")]
        else:
            names = [f"{self.part}.wav" if self.part else _WHOLE.get(self.kind, "")]
        return next((name for name in names if name in files), None)

    def __str__(self) -> str:
        return self.kind + (f":{self.part}" if self.part else "") + (f"@{self.key}" if self.key else "")


def artefact_of(storage: StorageResource, track: str, name: VersionName) -> Artefact | None:
    """What the stage gives now, or the earlier result that the name asks for."""
    stage = STAGES[name.kind]
    return (
        storage.artefacts.current(stage, track)
        if name.key is None
        else storage.artefacts.computed(stage, track, name.key)
    )


def recording_of(storage: StorageResource, track: str, version_id: str) -> Recording:
    """Raises ProblemError where there is no such version, or its file is gone or was written to."""
    name = VersionName.parse(version_id)
    artefact = artefact_of(storage, track, name) if name else None
    file = name.file(artefact.manifest.files) if name and artefact else None
    if artefact is None or file is None:
        raise not_found(f"there is no version {version_id} of this track")
    try:
        return artefact.recording(file)
    except (FileNotFoundError, AudioError) as error:
        raise not_found(f"{version_id}: its file is gone or was changed; process the track again") from error
