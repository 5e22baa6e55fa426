"""The manifest of an artefact: what it is, what it was asked to be, and how it came to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from resonate_resources.recipe import Engine, Json

SCHEMA = 2
"""Raised when a field changes its meaning. A manifest of another is no manifest; unknown fields are taken."""


class UnreadableManifestError(Exception):
    """Bytes that are no manifest of this schema."""


@dataclass(frozen=True)
class StoredFile:
    """A file of an artefact: its size in bytes and the SHA-256 of its bytes.

    report: whether it tells how the artefact came to be, and is no part of what it is.
    stamp: the store's own, as it was written: while it is the same, so are the bytes.
    """

    size: int
    sha256: str
    report: bool = False
    stamp: str = ""


@dataclass(frozen=True)
class Manifest:
    """recipe and inputs are what the key is made from; engine is what ran; the rest is told."""

    stage: str
    track: str
    key: str
    attempt: str
    """The directory, below the key's, that holds the files."""
    data_version: str
    recipe: Mapping[str, Json]
    code_version: str
    inputs: Mapping[str, Json]
    """`stage/name` → value of everything that was read."""
    engine: Engine
    files: Mapping[str, StoredFile]
    measures: Mapping[str, float | int | str | bool]
    notes: tuple[str, ...]
    seconds: float
    """Time the computation took."""
    made_from: Mapping[str, str]
    """Stage → data version of each artefact it stands on, as of now: those it was found again for, too."""
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> bytes:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Raises UnreadableManifestError."""
        try:
            values: dict[str, Any] = json.loads(data)
            if values["schema"] != SCHEMA:
                raise UnreadableManifestError(f"schema {values['schema']}, not {SCHEMA}")
            own = _known(cls, values) | {
                "engine": Engine(**_known(Engine, values["engine"])),
                "files": {
                    name: StoredFile(**_known(StoredFile, stored)) for name, stored in values["files"].items()
                },
                "notes": tuple(values["notes"]),
            }
            return cls(**own)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableManifestError(str(error)) from error


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
