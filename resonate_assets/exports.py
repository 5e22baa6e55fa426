"""exports: what leaves the graph, as a folder for people and their programs."""

import json
from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.markdown import lines
from resonate_assets.stage import one_line_errors, produce, track_asset
from resonate_assets.targets import source_of
from resonate_resources.exporting.contents import mirrored_files
from resonate_resources.exporting.folder import METADATA, MIRRORED_LIBRARY, export
from resonate_resources.exporting.track_folder import folder_of_track
from resonate_resources.ingestion.ingest import tags_read
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource

_CODE_VERSION = "5"


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
    generated_track: Artefact,
    remix: Artefact,
    ableton: Artefact,
    dawproject: Artefact,
    ni_stems: Artefact,
    rekordbox: Artefact,
    serato: Artefact,
    multitrack_midi: Artefact,
    archive: Artefact,
    mirrored: Artefact,
    sfz: Artefact,
    storage: StorageResource,
) -> dg.MaterializeResult[Artefact]:
    """The folder to take away: `{Artist} - {Title}_{Hash}/` with restored stems, master, the track where it was
    mended, MIDI, what programs read of it, and metadata.json."""
    source, wanted = source_of(storage, context.partition_key), asked_of(brief)
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
        "generated_track": generated_track,
        "remix": remix,
    }
    targets: dict[str, Artefact] = {
        each.manifest.stage: each
        for each in (
            ableton,
            dawproject,
            ni_stems,
            rekordbox,
            serato,
            multitrack_midi,
            archive,
            mirrored,
            sfz,
        )
        if each.manifest.stage in wanted.exports.targets
    }
    made |= targets
    with one_line_errors():
        folder = folder_of_track(source, wanted, made, storage.artefacts)
        # Before the cache is asked: a folder that its owner has emptied is filled again.
        exported = [
            export(storage.store, source.track, folder.name, folder.files, folder.facts),
            export(
                storage.store,
                source.track,
                "",
                mirrored_files(targets),
                None,
                MIRRORED_LIBRARY,
                path=source.uri,
            ),
        ]
    files = folder.files
    names = [*files, METADATA]

    def work(into: Path, _: object) -> Product:
        listed = json.dumps({"folder": folder.name, "files": names}, indent=1, ensure_ascii=False)
        (into / "exports.json").write_text(listed, encoding="utf-8")
        measures: dict[str, float | int | str | bool] = {
            "files_exported": len(names),
            "folder": f"exports/{folder.name}",
        }
        of_targets = [f"{name}: {note}" for name, each in targets.items() for note in each.manifest.notes]
        return Product({"exports.json": into / "exports.json"}, measures, (*folder.notes(), *of_targets))

    recipe = Recipe(Engine("folder"), {"name": folder.name, **wanted.exports.asked()}, _CODE_VERSION)
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
            for each in exported
            for name in each.edited
        ),
        *(
            f"{name}: was changed since it was exported, and gave way to what is made now"
            for each in exported
            for name in each.aside
        ),
    ]
    if left:
        shown = dg.MetadataValue.md(lines(left))
        result = result._replace(metadata={**(result.metadata or {}), "changed_by_others": shown})
    return result
