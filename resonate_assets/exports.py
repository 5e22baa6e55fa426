"""exports: what leaves the graph, as a folder for people and their programs."""

import json
from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.markdown import lines
from resonate_assets.stage import one_line_errors, produce, track_asset
from resonate_resources.exporting.contents import contents, known_tags
from resonate_resources.exporting.folder import METADATA, export
from resonate_resources.exporting.metadata import facts_of
from resonate_resources.exporting.names import folder_name
from resonate_resources.ingestion.ingest import kept_tags, tags_read
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource

_CODE_VERSION = "4"


@track_asset(code_version=_CODE_VERSION, kinds={"folder"})
def exports(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    raw_track: Artefact,
    restored_track: Artefact,
    profile: Artefact,
    stems: Artefact,
    restored_stems: Artefact,
    midi: Artefact,
    mix: Artefact,
    master: Artefact,
    regenerated_stems: Artefact,
    qc_scores: Artefact,
    storage: StorageResource,
) -> dg.MaterializeResult[Artefact]:
    """The folder to take away: `{Artist} - {Title}_{Hash}/` with restored stems, master, the track where it was
    mended, MIDI and metadata.json."""
    source = storage.sources.find(context.partition_key)
    if source is None:
        raise dg.Failure(f"{context.partition_key}: no source is registered; drop its file into the inbox")
    wanted = asked_of(brief)
    made = {
        "raw_track": raw_track,
        "restored_track": restored_track,
        "profile": profile,
        "stems": stems,
        "restored_stems": restored_stems,
        "midi": midi,
        "mix": mix,
        "master": master,
        "regenerated_stems": regenerated_stems,
        "qc_scores": qc_scores,
    }
    folder = folder_name(source.artist, source.title, source.sha256)
    with one_line_errors():
        tags = known_tags(
            kept_tags(raw_track), wanted, profile.read_json("profile.json"), source.artist, source.title
        )
        files = contents(wanted, tags, made)
        # Before the cache is asked: a folder that its owner has emptied is filled again.
        exported = export(storage.store, source.track, folder, files, facts_of(source, tags, wanted, made))
    names = [*files, METADATA]

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
        *(
            artefact.files(*(out.name for out in files.values() if out.artefact is artefact))
            for stage, artefact in made.items()
            if stage != "raw_track"
        ),
    ]
    result = produce(context, storage, recipe, reads, work)
    left = [
        *(
            f"{name}: was changed since it was exported, and is left so; delete it to have it anew"
            for name in exported.edited
        ),
        *(
            f"{name}: was changed since it was exported, and gave way to what is made now"
            for name in exported.aside
        ),
    ]
    if left:
        shown = dg.MetadataValue.md(lines(left))
        result = result._replace(metadata={**(result.metadata or {}), "changed_by_others": shown})
    return result
