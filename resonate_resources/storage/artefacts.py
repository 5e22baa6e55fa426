"""Artefacts: what a stage made of a track, and the cache of everything stages have made.

    <stage>/<track>/<key>/…              the files of one computation, and their manifest.json, written last
    <stage>/<track>/manifest.json        the manifest of the computation that counts now

The key is a hash of everything the result depends on, so a computation that was done before (with these
inputs, this code, this engine and these settings) is found and not done again. Switching to it is one atomic
write of the outer manifest: a process killed at any moment leaves the old artefact or the new one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.engine import Engine, Product
from resonate_resources.recordings.recording import Recording, Stems, file_sha256
from resonate_resources.storage.hashing import Hashing
from resonate_resources.storage.store import Store

PICTURE = "picture.png"
"""The picture of an artefact: shown in the web UI, no part of its data version."""


@dataclass(frozen=True)
class StoredFile:
    """A file of an artefact: its size in bytes and the SHA-256 of its bytes."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an artefact is and how it came to be. Unknown fields of later versions are refused."""

    stage: str
    track: str
    key: str
    data_version: str
    code_version: str
    engine: Engine
    inputs: Mapping[str, str]
    """Stage → data version of each input."""
    files: Mapping[str, StoredFile]
    measures: Mapping[str, float | int | str | bool]
    notes: tuple[str, ...]
    seconds: float
    """Time the computation took."""
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        values: dict[str, Any] = json.loads(data)
        engine = values.pop("engine")
        return cls(
            **values
            | {
                "engine": Engine(**engine | {"notes": tuple(engine["notes"])}),
                "files": {name: StoredFile(**stored) for name, stored in values["files"].items()},
                "notes": tuple(values["notes"]),
            }
        )


def compute_key(stage: str, code_version: str, engine: Engine, inputs: Mapping[str, str]) -> str:
    """Hash of all that a stage's result depends on: 16 hex digits (keys only meet within a track)."""
    what = {
        "stage": stage,
        "code_version": code_version,
        "engine": {"name": engine.name, "model": engine.model, "settings": dict(engine.settings)},
        "inputs": dict(inputs),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def data_version(files: Mapping[str, StoredFile]) -> str:
    """SHA-256 over the names and contents of an artefact's files, its picture left out."""
    pairs = sorted((name, stored.sha256) for name, stored in files.items() if name != PICTURE)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


@dataclass(frozen=True)
class Artefact:
    """A stored artefact. Files come to local disk when they are asked for."""

    manifest: Manifest
    store: Store

    @property
    def data_version(self) -> str:
        return self.manifest.data_version

    def key(self, name: str) -> str:
        return f"{_version_prefix(self.manifest.stage, self.manifest.track, self.manifest.key)}/{name}"

    def path(self, name: str) -> Path:
        """A local file, to be read only. Raises FileNotFoundError."""
        return self.store.fetch(self.key(name))

    def location(self, name: str) -> str:
        """Where the file is, as an absolute path or URI."""
        return self.store.location(self.key(name))

    def recording(self, name: str) -> Recording:
        return Recording.open(self.path(name))

    @property
    def stem_files(self) -> list[str]:
        """Names of its .wav files, in the order in which they were made; not those in folders of it."""
        return [name for name in self.manifest.files if name.endswith(".wav") and "/" not in name]

    def stems(self) -> Stems:
        """The stem files as recordings."""
        return {name.removesuffix(".wav"): self.recording(name) for name in self.stem_files}

    def read_json(self, name: str) -> Any:
        return json.loads(self.path(name).read_bytes())

    def complete(self) -> bool:
        """Whether every file is there with its size. The record is only a claim about the store."""
        return all(
            self.store.size(self.key(name)) == stored.size for name, stored in self.manifest.files.items()
        )


class Artefacts:
    """All artefacts in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def current(self, stage: str, track: str) -> Artefact | None:
        """The artefact that counts now, or None: no manifest, no artefact."""
        return self._artefact(f"{_prefix(stage, track)}/manifest.json")

    def computed(self, stage: str, track: str, key: str) -> Artefact | None:
        """The result of a computation done before, if all of it is still there."""
        artefact = self._artefact(f"{_version_prefix(stage, track, key)}/manifest.json")
        return artefact if artefact and artefact.complete() else None

    def keep(
        self,
        product: Product,
        *,
        stage: str,
        track: str,
        key: str,
        code_version: str,
        engine: Engine,
        inputs: Mapping[str, str],
        seconds: float,
        hashing: Hashing | None = None,
    ) -> Artefact:
        """Take a product's files in, then write the inner manifest. Does not yet make it the current one.

        hashing: what has begun with the product's files.
        """
        paths = list(product.files.values())
        digests = hashing.digests(paths) if hashing else {path: file_sha256(path) for path in paths}
        files = {name: StoredFile(path.stat().st_size, digests[path]) for name, path in product.files.items()}
        manifest = Manifest(
            stage=stage,
            track=track,
            key=key,
            data_version=data_version(files),
            code_version=code_version,
            engine=engine,
            inputs=inputs,
            files=files,
            measures={name: plain(value) for name, value in product.measures.items()},
            notes=product.notes,
            seconds=round(seconds, 3),
        )
        artefact = Artefact(manifest, self.store)
        for name, path in product.files.items():
            self.store.adopt(path, artefact.key(name))
        self.store.write(artefact.key("manifest.json"), manifest.to_json())
        return artefact

    def publish(self, artefact: Artefact) -> None:
        """Make an artefact the current one of its stage and track, in one atomic write."""
        manifest = artefact.manifest
        self.store.write(f"{_prefix(manifest.stage, manifest.track)}/manifest.json", manifest.to_json())

    def all_current(self, stage: str) -> Iterator[tuple[str, str]]:
        """(track, version of its manifest) for every track that has an artefact of a stage."""
        for entry in self.store.entries(f"artefacts/{stage}"):
            parts = entry.key.split("/")
            if len(parts) == 4 and parts[3] == "manifest.json":
                yield parts[2], entry.version

    def _artefact(self, key: str) -> Artefact | None:
        data = self.store.read(key)
        return None if data is None else Artefact(Manifest.from_json(data), self.store)


def plain(value: float | int | str | bool) -> float | int | str | bool:
    """A measure as JSON and Dagster's event log take it: no numpy scalars, no digits that were not measured,
    and no infinities (the loudness of silence is the text `-inf`)."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, float):
        return value
    return round(value, 4) if math.isfinite(value) else str(value)


def _prefix(stage: str, track: str) -> str:
    return f"artefacts/{stage}/{track}"


def _version_prefix(stage: str, track: str, key: str) -> str:
    return f"{_prefix(stage, track)}/{key}"
