"""The catalogue: one row for each track in the library, as Parquet."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.sources import Source, Sources
from resonate_resources.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

CATALOGUE = "library/library.parquet"

_MEASURES: Mapping[str, Sequence[str]] = {
    "raw_track": ("duration_s", "sample_rate_hz", "channels"),
    "profile": ("tempo_bpm", "key", "loudness_lufs", "bandwidth_hz"),
    "qc_scores": ("master_total", "regenerated_total"),
    "exports": ("folder",),
}
"""Stage → measures that have a column in the catalogue."""

_WISHES = "brief"
"""The stage that needs no sound: alone it makes no track."""


def read_catalogue(store: Store) -> pd.DataFrame | None:
    """The catalogue as it was last written, or None."""
    import pandas as pd

    data = store.read(CATALOGUE)
    return None if data is None else pd.read_parquet(io.BytesIO(data))


def build_catalogue(store: Store, stages: Sequence[str]) -> pd.DataFrame:
    """Bring the catalogue up to date and write it.

    Only tracks of which a manifest changed since the last time are read again, so the cost is one listing a stage
    and a few small reads a changed track. Columns: track, source, artist, title, sha256, the measures above, and
    as JSON `made` (stage → data version, code version, and what it was made from) and `seen` (stage → version of
    its manifest).
    """
    import pandas as pd

    artefacts, sources = Artefacts(store), Sources(store)
    earlier = read_catalogue(store)
    rows = {} if earlier is None else {str(row["track"]): dict(row) for row in earlier.to_dict("records")}
    seen: dict[str, dict[str, str]] = {}
    for stage in stages:
        for track, version in artefacts.all_current(stage):
            seen.setdefault(track, {})[stage] = version
    catalogue = []
    for track in sorted(seen):
        if seen[track].keys() == {_WISHES}:
            continue  # its file was rejected, or has yet to be decoded
        told = json.dumps(seen[track], sort_keys=True)
        row: dict[Any, Any] | None = rows.get(track)
        if row is None or row["seen"] != told:
            row = _row(track, artefacts, sources.find(track), stages) | {"seen": told}
        catalogue.append(row)
    frame = pd.DataFrame(catalogue, columns=_columns())
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    store.write(CATALOGUE, buffer.getvalue())
    return frame


def _columns() -> list[str]:
    measures = [name for names in _MEASURES.values() for name in names]
    return ["track", "source", "artist", "title", "sha256", *measures, "made", "seen"]


def _row(track: str, artefacts: Artefacts, source: Source | None, stages: Sequence[str]) -> dict[str, Any]:
    manifests = {
        stage: artefact.manifest
        for stage in stages
        if (artefact := artefacts.current(stage, track)) is not None
    }
    row: dict[str, Any] = {
        "track": track,
        # A path need not be UTF-8; Parquet's text must be.
        "source": source and os.fsencode(source.uri).decode(errors="replace"),
        "artist": source and source.artist,
        "title": source and source.title,
        "sha256": source and source.sha256,
    }
    for stage, names in _MEASURES.items():
        for name in names:
            row[name] = _number(manifests[stage].measures.get(name)) if stage in manifests else None
    row["made"] = json.dumps({stage: _made(manifest) for stage, manifest in manifests.items()})
    return row


def _number(value: float | int | str | bool | None) -> float | int | str | bool | None:
    """Manifests keep infinities as text; here they would make a column of numbers one of mixed types."""
    return float(value) if value in ("inf", "-inf") else value


def _made(manifest: Manifest) -> dict[str, Any]:
    return {
        "data_version": manifest.data_version,
        "code_version": manifest.code_version,
        "made_from": dict(manifest.made_from),
    }


def stale_stages(made: Mapping[str, Mapping[str, Any]], code_versions: Mapping[str, str]) -> list[str]:
    """Stages of a track that are missing, or were made by other code or from other inputs than there are now.

    made: stage → data_version, code_version and made_from (stage → data version), as in the catalogue.
    """
    return [
        stage
        for stage, code_version in code_versions.items()
        if stage not in made
        or made[stage]["code_version"] != code_version
        or any(
            name in made and made[name]["data_version"] != version
            for name, version in made[stage]["made_from"].items()
        )
    ]
