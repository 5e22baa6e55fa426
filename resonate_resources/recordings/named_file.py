"""Recordings that a brief names by their place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import soundfile as sf

from resonate_resources.recipe import Json
from resonate_resources.recordings.decoding import decode, printable_name
from resonate_resources.recordings.recording import AudioError, Recording, file_sha256


@dataclass(frozen=True)
class NamedFile:
    """setting: of the brief, as in `mastering.reference`, by which errors tell where the path is from."""

    setting: str
    path: Path

    @property
    def name(self) -> str:
        return printable_name(self.path.name)

    def ingredients(self) -> dict[str, Json]:
        """What a recipe says of it: its content (SHA-256, in hex), and the library that may decode it. Raises
        AudioError."""
        try:
            content = file_sha256(self.path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AudioError(
                f"{self.setting}: {self.path} can't be read ({reason}); check the path"
            ) from error
        return {self.setting.rpartition(".")[2]: content, "libsndfile": sf.__libsndfile_version__}

    def decoded(self, into: Path) -> Recording:
        """As a recording in that folder. Raises AudioError."""
        try:
            return decode(self.path, into).recording
        except AudioError as error:
            raise AudioError(f"{self.setting}: {error}") from error
