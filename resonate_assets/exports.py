"""exports: what leaves the graph, as a folder for people and their programs."""

import json
from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import one_line_errors, produce, track_asset
from resonate_resources.ingestion.ingest import FACTS, tags_read
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.exports import export, folder_name
from resonate_resources.storage.resource import StorageResource

_CODE_VERSION = "2"


@track_asset(code_version=_CODE_VERSION, kinds={"folder"})
def exports(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    raw_track: Artefact,
    stems: Artefact,
    midi: Artefact,
    profile: Artefact,
    master: Artefact,
    qc_scores: Artefact,
    storage: StorageResource,
) -> dg.MaterializeResult[Artefact]:
    """What people take away: the folder `{Artist} - {Title}_{Hash}` with stems, master, MIDI and metadata.json
    (brief, times, engines, quality)."""
    source = storage.sources.find(context.partition_key)
    if source is None:
        raise dg.Failure(f"{context.partition_key}: no source is registered; drop its file into the inbox")
    wanted = asked_of(brief)
    made = {
        "raw_track": raw_track,
        "stems": stems,
        "midi": midi,
        "profile": profile,
        "master": master,
        "qc_scores": qc_scores,
    }
    folder = folder_name(source.artist, source.title, source.sha256)
    masters = [
        name for name in master.manifest.files if name.removeprefix("master.") in wanted.mastering.formats
    ]
    parts = {
        "stems": {name: (stems, name) for name in stems.stem_files},
        "master": {name: (master, name) for name in masters},
        "midi": {f"midi/{name}": (midi, name) for name in midi.manifest.files if name.endswith(".mid")},
    }
    files = {name: kept for part in wanted.exports.parts for name, kept in parts[part].items()}
    with one_line_errors():
        facts = {
            "track": source.track,
            "source": source.uri,
            "tags": raw_track.read_json(FACTS)["tags"],
            "brief": wanted.model_dump(mode="json"),
            "seconds": {stage: artefact.manifest.seconds for stage, artefact in made.items()},
            "engines": {stage: artefact.manifest.engine.name for stage, artefact in made.items()},
            "profile": dict(profile.manifest.measures),
            "quality": dict(qc_scores.manifest.measures),
        }
        # Before the cache is asked: a folder that its owner has emptied is filled again.
        names = export(storage.store, folder, files, facts)

    def work(into: Path, _: object) -> Product:
        told = json.dumps({"folder": folder, "files": names}, indent=1, ensure_ascii=False)
        (into / "exports.json").write_text(told, encoding="utf-8")
        measures: dict[str, float | int | str | bool] = {
            "files_exported": len(names),
            "folder": f"exports/{folder}",
        }
        return Product({"exports.json": into / "exports.json"}, measures)

    recipe = Recipe(Engine("folder"), {"name": folder, **wanted.exports.asked()}, _CODE_VERSION)
    reads = [
        brief.reading({}),
        tags_read(raw_track),
        profile.reading({}),
        qc_scores.reading({}),
        *(
            kept.files(*(name for owner, name in files.values() if owner is kept))
            for kept in (stems, master, midi)
        ),
    ]
    return produce(context, storage, recipe, reads, work)
