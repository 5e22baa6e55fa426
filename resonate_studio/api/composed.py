"""Tracks that begin with words: which those are, what was understood of them, and how such a track is labelled."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resonate_assets.named_reference import name_of_track, track_of
from resonate_resources.composition.engines.choosing import ENGINES
from resonate_resources.composition.request import Reading, Understanding
from resonate_resources.composition.resource import REQUEST
from resonate_resources.ingestion.ingest import FACTS
from resonate_resources.ingestion.refusing import name_of
from resonate_resources.ingestion.track_key import TRACK_KEY
from resonate_resources.ingestion.words import Words, is_words
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_studio.api.composition_models import (
    Composed,
    ComposedLike,
    CompositionReading,
    CompositionWords,
)
from resonate_studio.api.wording import printable

UNLABELLED = "composed"
"""By an engine that is not known any more, or whose words are gone."""
_KEPT = 10_000


class WordsRead:
    """Words of sources, each read once: they are named by their content."""

    def __init__(self, storage: StorageResource) -> None:
        self._storage = storage
        self._read = lru_cache(_KEPT)(self._read_anew)

    def of(self, source: Source) -> Words | None:
        """None where the file is gone, or has changed since it was found."""
        return self._read(source.uri, source.name, source.sha256)

    def label(self, source: Source | None) -> str | None:
        """None of a track that begins with a file."""
        if source is None or not is_words(source):
            return None
        words = self.of(source)
        return ENGINES[words.engine]().label if words and words.engine in ENGINES else UNLABELLED

    def reference(self, words: Words | None, heard_as: str | None) -> ComposedLike | None:
        """heard_as: what it was called when it was heard, if it was."""
        if words is None or not words.reference:
            return ComposedLike(name=heard_as, track=None) if heard_as else None
        track = track_of(self._storage, words.reference)
        name = name_of_track(track) if track else printable(name_of(words.reference))
        return ComposedLike(name=heard_as or name, track=track.track if track else None)

    def _read_anew(self, uri: str, name: str, sha256: str) -> Words | None:
        with TemporaryDirectory() as folder:
            try:
                words = Words.read(self._storage.local_copy(uri, Path(folder)), name)
            except (AudioError, OSError):
                return None
        return words if words.sha256 == sha256 else None


def composed_of(
    read: WordsRead, source: Source | None, composition: Artefact | None, raw_track: Artefact | None
) -> Composed | None:
    """None of a track that begins with a file. Who made it is told by the track once it is there, and before by
    the engine that was asked for."""
    label = read.label(source)
    if source is None or label is None:
        return None
    words = read.of(source)
    engine = words.engine if words else ""
    licence = ENGINES[engine]().licence if engine in ENGINES else ""
    facts: dict[str, Any] = {"label": label, "engine": engine, "model": None, "licence": licence}
    facts["seed"] = words.seed if words else None
    if raw_track is not None:
        facts |= raw_track.read_json(FACTS).get("composed", {})
    told = composition.read_json(REQUEST) if composition is not None and composition.manifest.files else {}
    understanding = Understanding.model_validate(told.get("understanding", {"asked": {}}))
    lent, assumed = (
        [Reading.model_validate(reading) for reading in told.get(name, [])]
        for name in ("from_reference", "assumed")
    )
    heard: dict[str, Any] = told.get("reference", {})
    return Composed(
        label=facts["label"],
        engine=facts["engine"],
        model=facts["model"],
        licence=facts["licence"],
        seed=facts["seed"],
        words=told_of(words) if words else None,
        by_plan=words is not None and words.plan is not None,
        reference=read.reference(words, heard.get("name")),
        sounds=facts.get("sounds", ""),
        readings=readings_of(*understanding.readings, *lent, *assumed),
        not_understood=list(understanding.not_understood),
        remarks=[*understanding.remarks, *heard.get("remarks", [])],
    )


def told_of(words: Words) -> CompositionWords:
    """Places of files are nobody's business."""
    told, key = words.model_dump(exclude={"plan"}), _key_of(words)
    kept = {"reference": key or "", "reference_sounds": words.reference_sounds and key is not None}
    return CompositionWords.model_validate(told | kept)


def _key_of(words: Words) -> str | None:
    return words.reference if TRACK_KEY.fullmatch(words.reference) else None


def readings_of(*readings: Reading) -> list[CompositionReading]:
    return [CompositionReading.model_validate(reading.model_dump()) for reading in readings]
