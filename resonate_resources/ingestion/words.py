"""A track that begins with words: `NAME.compose.json`, in the place of a file of audio."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, ValidationError

from resonate_resources.ingestion.refusing import name_of
from resonate_resources.ingestion.track_key import track_key
from resonate_resources.invalid import told
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.inbox import COMPOSE_SUFFIX, is_compose
from resonate_resources.storage.sources import Source

LARGEST_SEED: Final = 2**31 - 1
MOST_CHARACTERS: Final = 10_000
ARTIST: Final = "Resonate"
_LARGEST_BYTES: Final = 16_000_000  # a plan of half an hour may have 7 MB
_WORDS_IN_KEY: Final = 60
_COMPOSER: Final = "composer"


class Words(BaseModel):
    """What is asked of a composition, as somebody wrote it down.

    asked: what is said beside the prompt, whatever that says: fields of a request, as `resonate compose --json`
    tells them. engine: what makes its sound. by_model: the language model that is set up reads the prompt. plan: a
    plan.json of before, played as it is; prompt and seed are not needed then. reference: a recording in whose style
    it is to be where nothing is said: the key of a track of the library, or a file, by its path from this one.
    reference_sounds: its own sounds play what they can, by the composer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt: str = Field(default="", max_length=MOST_CHARACTERS)
    title: str = Field(default="", max_length=120)
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    asked: dict[str, JsonValue] = Field(default={})
    engine: str = Field(default=_COMPOSER, max_length=40)
    by_model: bool = False
    plan: dict[str, JsonValue] | None = None
    reference: str = Field(default="", max_length=1000)
    reference_sounds: StrictBool = False

    @classmethod
    def parse(cls, text: str | bytes, name: str) -> Words:
        """Raises AudioError, with one line that begins with the file's name."""
        try:
            words = cls.model_validate_json(text)
        except ValidationError as error:
            raise AudioError(f"{printable_name(name)}: {told(error)}") from error
        if words.plan is not None and words.reference:
            raise AudioError(f"{printable_name(name)}: a plan is played as it is; leave the reference out")
        if words.reference_sounds and not (words.reference and words.engine == _COMPOSER):
            lacking = f"reference_sounds: needs a reference, and the engine {_COMPOSER}"
            raise AudioError(f"{printable_name(name)}: {lacking}")
        if words.plan is None and not (words.prompt.strip() or words.asked or words.reference):
            raise AudioError(f'{printable_name(name)}: says nothing to compose; give it a "prompt"')
        return words

    @classmethod
    def read(cls, file: Path, name: str) -> Words:
        """Raises AudioError, as `parse` does, and OSError."""
        if file.stat().st_size > _LARGEST_BYTES:
            raise AudioError(f"{printable_name(name)}: is larger than {_LARGEST_BYTES // 10**6} MB")
        return cls.parse(file.read_bytes(), name)

    @property
    def sha256(self) -> str:
        """Of what is asked, however it is written down."""
        return hashlib.sha256(self.written().encode()).hexdigest()

    def written(self) -> str:
        """As a file has it; what nobody said is left out."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True, indent=1)

    def source(self, uri: str) -> Source:
        """It as the source of a track, whose name says what is asked, in short."""
        title = self.title or " ".join(self.prompt.split())[:_WORDS_IN_KEY].strip()
        title = title or name_of(uri).removesuffix(COMPOSE_SUFFIX)
        return Source(
            track=track_key(None, title, self.sha256),
            uri=uri,
            size=len(self.written().encode()),
            sha256=self.sha256,
            artist=ARTIST,
            title=title,
        )


def is_words(source: Source) -> bool:
    """Whether a track begins with words."""
    return is_compose(source.name)
