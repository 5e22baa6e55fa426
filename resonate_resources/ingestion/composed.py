"""The first artefact of a track that was composed: the sum of its stems, in the place of a decoded file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from resonate_resources.ingestion.ingest import FACTS, TRACK, measures_of
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import Stems
from resonate_resources.recordings.tags import Tags
from resonate_resources.signal.summing import sum_recordings

CODE_VERSION = "1"
"""Raised when the algorithm changes in a way that no constant shows."""
_CODEC = "composed"


def recipe() -> Recipe:
    return Recipe.of(__name__, Engine("sum"), version=CODE_VERSION)


def sum_of(stems: Stems, tags: Tags, facts: Mapping[str, Json], into: Path) -> Product:
    """`track.wav`, and `track.json` as of a file. facts: how it was made, which is told beside its tags."""
    whole = sum_recordings(stems.values(), into / TRACK)
    told = {
        "codec": _CODEC,
        "container": _CODEC,
        "bit_depth": 32,
        "lossless": True,
        "trimmed_start": 0,
        "trimmed_end": 0,
        "tags": tags.to_json(),
        "composed": dict(facts),
    }
    (into / FACTS).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    files = {TRACK: into / TRACK, FACTS: into / FACTS}
    return Product(files, measures_of(whole, _CODEC), (str(facts["label"]),))
