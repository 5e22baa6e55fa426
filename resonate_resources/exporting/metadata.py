"""`metadata.json`: what is known of a track and how its files came to be, for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from resonate_resources.brief.brief import Brief
from resonate_resources.exporting.provenance import Provenance
from resonate_resources.recipe import Json
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.sources import Source


def facts_of(
    source: Source, tags: Tags, wanted: Brief, made: Mapping[str, Artefact], provenance: Provenance
) -> dict[str, Json]:
    """made: stage → artefact, in the order in which they are told; measures have their unit in their name."""
    return {
        "resonate": version("resonate-studio"),
        "track": source.track,
        "source": source.uri,
        "tags": tags.to_json(),
        "brief": wanted.model_dump(mode="json"),
        "provenance": provenance.to_json(),
        "stages": {stage: _told(artefact) for stage, artefact in made.items()},
    }


def _told(artefact: Artefact) -> dict[str, Json]:
    manifest = artefact.manifest
    return {
        "engine": manifest.engine.name,
        "model": manifest.engine.model,
        "licence": manifest.engine.licence,
        "code_version": manifest.code_version,
        "made_at": manifest.made_at,
        "seconds": manifest.seconds,
        "measures": dict(manifest.measures),
        "notes": list(manifest.notes),
    }
