"""Artefacts: what a stage made of a track, and the cache of everything stages have made.

    <stage>/<track>/<key>/<attempt>/…    the files of one computation
    <stage>/<track>/<key>/manifest.json  written last: which attempt counts
    <stage>/<track>/manifest.json        the manifest of the computation that counts now

The key is a hash of everything the result depends on, so a computation that was done before (from these inputs, by
this recipe) is found and not done again. Switching to it is one atomic write of the outer manifest: a process that
is killed leaves the old artefact or the new one. Of two that make the same at once, one is kept, whole.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import REBUILT, AudioError, Recording, Stems, file_sha256
from resonate_resources.storage.hashing import Hashing
from resonate_resources.storage.manifest import Manifest, StoredFile, UnreadableManifestError
from resonate_resources.storage.store import Stat, Store

PICTURE = "picture.png"
"""The picture of an artefact: a report and no content."""
THUMBNAIL = "thumbnail"
"""The same, small enough for the web UI to keep with every event: encoding it anew takes half a second."""


class ChangedFileError(AudioError):
    """A file of an artefact that is no longer what its manifest says. The next run makes it anew."""


def compute_key(stage: str, recipe: Mapping[str, Json], inputs: Mapping[str, Json]) -> str:
    """Hash of all that a stage's result depends on: 16 hex digits (keys only meet within a track).

    recipe: `Recipe.keyed()`, which manifests keep, so that a key can be made again from its manifest.
    """
    what = {"stage": stage, "recipe": dict(recipe), "inputs": dict(inputs)}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def data_version(files: Mapping[str, StoredFile]) -> str:
    """SHA-256 over the names and contents of an artefact's files, reports left out."""
    pairs = sorted((name, stored.sha256) for name, stored in files.items() if not stored.report)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


@dataclass(frozen=True)
class Read:
    """What a stage reads of an artefact. values: flat name → value, which the stage's key is made from."""

    stage: str
    data_version: str
    values: Mapping[str, Json]


@dataclass(frozen=True)
class Artefact:
    """A stored artefact. Files come to local disk when they are asked for."""

    manifest: Manifest
    store: Store

    @property
    def data_version(self) -> str:
        return self.manifest.data_version

    def key(self, name: str) -> str:
        manifest = self.manifest
        return f"{_key_prefix(manifest.stage, manifest.track, manifest.key)}/{manifest.attempt}/{name}"

    def path(self, name: str) -> Path:
        """A local file, to be read only. Raises FileNotFoundError, and ChangedFileError where it was written to."""
        key, stored = self.key(name), self.manifest.files.get(name)
        found = None if stored is None else self.store.stat(key)
        path = self.store.fetch(key, found)
        if stored is not None and not self._is_as_it_was(name, stored, found):
            raise ChangedFileError(
                f"{self.location(name)}: has changed since it was made; process the track again to have it anew"
            )
        return path

    def location(self, name: str) -> str:
        """Where the file is, as an absolute path or URI."""
        return self.store.location(self.key(name))

    def recording(self, name: str) -> Recording:
        return Recording.open(self.path(name))

    @property
    def stem_files(self) -> list[str]:
        """Names of its .wav files, in the order in which they were made; not those in folders of it, nor the sum of
        rebuilt stems."""
        files = self.manifest.files
        return [name for name in files if name.endswith(".wav") and "/" not in name and name != REBUILT]

    @property
    def note_files(self) -> list[str]:
        """Names of its .mid files, of notes as they were played; not those in folders of it."""
        return [name for name in self.manifest.files if name.endswith(".mid") and "/" not in name]

    def stems(self) -> Stems:
        """The stem files as recordings."""
        return {name.removesuffix(".wav"): self.recording(name) for name in self.stem_files}

    def read_json(self, name: str) -> Any:
        return json.loads(self.path(name).read_bytes())

    def files(self, *names: str) -> Read:
        """Its files of these names, as what a stage reads."""
        return self.reading({name: self.manifest.files[name].sha256 for name in names})

    def reading(self, values: Mapping[str, Json]) -> Read:
        """Values from its files as what a stage reads: more or other values there change nothing."""
        return Read(self.manifest.stage, self.data_version, values)

    def standing_on(self, reads: Sequence[Read], code_version: str) -> Artefact:
        """The same, as what these artefacts and this code give now. It may have been made from others, if what it
        read of them is the same still."""
        made_from = {read.stage: read.data_version for read in reads}
        return replace(self, manifest=replace(self.manifest, made_from=made_from, code_version=code_version))

    def complete(self) -> bool:
        """Whether every file is there, as it was. The record is only a claim about the store."""
        return all(
            self._is_as_it_was(name, stored, self.store.stat(self.key(name)))
            for name, stored in self.manifest.files.items()
        )

    def _is_as_it_was(self, name: str, stored: StoredFile, found: Stat | None) -> bool:
        """By size and the store's stamp; where only the stamp is another (a home that was copied), by its bytes."""
        if found is None or found.size != stored.size:
            return False
        if found.stamp == stored.stamp:
            return True
        place = self.location(name), found.stamp
        if place not in _looked_at:
            _looked_at[place] = file_sha256(self.store.fetch(self.key(name), found))
        return _looked_at[place] == stored.sha256


_looked_at: dict[tuple[str, str], str] = {}
"""(location, stamp) → SHA-256 of files whose stamp is not that of their manifest, hashed once a process."""


class Artefacts:
    """All artefacts in a store. anew: stages whose results are made again, though there are some."""

    def __init__(self, store: Store, anew: Collection[str] = ()) -> None:
        self.store = store
        self.anew = frozenset(anew)

    def current(self, stage: str, track: str) -> Artefact | None:
        """The artefact that counts now, or None: no manifest, no artefact."""
        return self._artefact(f"{_prefix(stage, track)}/manifest.json")

    def computed(self, stage: str, track: str, key: str) -> Artefact | None:
        """The result of a computation done before, if all of it is still there and it is not to be made anew."""
        return None if stage in self.anew else self._computed(stage, track, key)

    def _computed(self, stage: str, track: str, key: str) -> Artefact | None:
        artefact = self._artefact(f"{_key_prefix(stage, track, key)}/manifest.json")
        return artefact if artefact and artefact.complete() else None

    def keep(
        self,
        product: Product,
        *,
        stage: str,
        track: str,
        recipe: Recipe,
        reads: Sequence[Read],
        seconds: float,
        hashing: Hashing | None = None,
    ) -> Artefact:
        """Take a product's files in, then write the inner manifest. Does not yet make it the current one.

        Where another process has kept the same meanwhile, that is what is given. hashing: what has begun with the
        product's files.
        """
        inputs = inputs_of(reads)
        paths = {**product.files, **product.reports}
        digests = (
            hashing.digests(list(paths.values()))
            if hashing
            else {path: file_sha256(path) for path in paths.values()}
        )
        key, attempt = compute_key(stage, recipe.keyed(), inputs), uuid.uuid4().hex[:12]
        prefix = f"{_key_prefix(stage, track, key)}/{attempt}"
        files: dict[str, StoredFile] = {}
        for name, path in paths.items():
            size = path.stat().st_size
            self.store.adopt(path, f"{prefix}/{name}")
            there = self.store.stat(f"{prefix}/{name}")
            files[name] = StoredFile(
                size, digests[path], name in product.reports, there.stamp if there else ""
            )
        engine = product.engine or recipe.engine
        manifest = Manifest(
            stage=stage,
            track=track,
            key=key,
            attempt=attempt,
            data_version=data_version(files),
            recipe=recipe.keyed(),
            code_version=recipe.code_version,
            inputs=inputs,
            engine=Engine(engine.name, engine.model, engine.licence),
            files=files,
            measures={name: plain(value) for name, value in product.measures.items()},
            notes=product.notes,
            seconds=round(seconds, 3),
            made_from={read.stage: read.data_version for read in reads},
        )
        artefact = Artefact(manifest, self.store)
        inner = f"{_key_prefix(stage, track, key)}/manifest.json"
        if stage in self.anew:
            self.store.write(inner, manifest.to_json())
        elif not self.store.create(inner, manifest.to_json()):
            earlier = self._computed(stage, track, key)
            if earlier is not None:
                self.store.delete(prefix)
                return earlier
            self.store.write(inner, manifest.to_json())  # what was there was damaged
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
        """One whose manifest can't be read is none: it is made anew."""
        data = self.store.read(key)
        if data is None:
            return None
        try:
            return Artefact(Manifest.from_json(data), self.store)
        except UnreadableManifestError:
            return None


def inputs_of(reads: Sequence[Read]) -> dict[str, Json]:
    """`stage/name` → value, of everything that is read."""
    return {f"{read.stage}/{name}": value for read in reads for name, value in read.values.items()}


def plain(value: float | int | str | bool) -> float | int | str | bool:
    """A measure as JSON and Dagster's event log take it: no numpy scalars, no digits that were not measured,
    and no infinities (the loudness of silence is the text `-inf`)."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, float):
        return value
    return round(value, 4) if math.isfinite(value) else str(value)


def _prefix(stage: str, track: str) -> str:
    return f"artefacts/{stage}/{track}"


def _key_prefix(stage: str, track: str, key: str) -> str:
    return f"{_prefix(stage, track)}/{key}"
