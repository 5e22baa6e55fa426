"""exports: what leaves the graph, as a folder for people and their programs."""

import json
from pathlib import Path

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.engine import Engine, Product
from resonate_resources.ingestion.ingest import FACTS
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.exports import export, folder_name
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version="1", kinds={"folder"})
def exports(
    context: dg.AssetExecutionContext,
    raw_track: Artefact,
    stems: Artefact,
    midi: Artefact,
    profile: Artefact,
    master: Artefact,
    qc_scores: Artefact,
    storage: StorageResource,
) -> dg.MaterializeResult[Artefact]:
    """`{Artist} - {Title}_{Hash}/` with stems, master, MIDI and metadata.json (time taken, engines, quality)."""
    source = storage.sources.find(context.partition_key)
    if source is None:
        raise dg.Failure(f"{context.partition_key}: no source is registered; drop its file into the inbox")
    made = {
        "raw_track": raw_track,
        "stems": stems,
        "midi": midi,
        "profile": profile,
        "master": master,
        "qc_scores": qc_scores,
    }
    folder = folder_name(source.artist, source.title, source.sha256)
    files = {
        **{name: (stems, name) for name in stems.stem_files},
        **{name: (master, name) for name in master.manifest.files if name.startswith("master.")},
        **{f"midi/{name}": (midi, name) for name in midi.manifest.files if name.endswith(".mid")},
    }
    facts = {
        "track": source.track,
        "source": source.uri,
        "tags": raw_track.read_json(FACTS)["tags"],
        "seconds": {stage: artefact.manifest.seconds for stage, artefact in made.items()},
        "engines": {stage: artefact.manifest.engine.name for stage, artefact in made.items()},
        "profile": dict(profile.manifest.measures),
        "quality": dict(qc_scores.manifest.measures),
    }
    # Before the cache is asked: a folder that its owner has emptied is filled again.
    locations = export(storage.store, folder, files, facts)

    def work(into: Path, _: object) -> Product:
        (into / "exports.json").write_text(
            json.dumps({"folder": folder, "files": locations}, indent=1, ensure_ascii=False), encoding="utf-8"
        )
        return Product(
            {"exports.json": into / "exports.json"},
            {"files_exported": len(locations), "folder": storage.store.location(f"exports/{folder}")},
        )

    return produce(context, storage, Engine("folder", {"name": folder}), versions(**made), work)
