"""exports: what leaves the graph, as a folder for people and their programs."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.markdown import lines
from resonate_assets.stage import one_line_errors, produce, track_asset
from resonate_assets.targets import source_of
from resonate_resources.exporting.contents import contents, known_tags, mirrored_files
from resonate_resources.exporting.folder import METADATA, MIRRORED_LIBRARY, Outgoing, export
from resonate_resources.exporting.metadata import facts_of
from resonate_resources.exporting.names import folder_name
from resonate_resources.exporting.provenance import provenance_of
from resonate_resources.ingestion.ingest import kept_tags, tags_read
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source

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
    ableton: Artefact,
    dawproject: Artefact,
    ni_stems: Artefact,
    rekordbox: Artefact,
    serato: Artefact,
    multitrack_midi: Artefact,
    archive: Artefact,
    mirrored: Artefact,
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
    }
    targets: dict[str, Artefact] = {
        each.manifest.stage: each
        for each in (ableton, dawproject, ni_stems, rekordbox, serato, multitrack_midi, archive, mirrored)
        if each.manifest.stage in wanted.exports.targets
    }
    made |= targets
    folder = folder_name(source.artist, source.title, source.sha256)
    with one_line_errors():
        tags = known_tags(
            kept_tags(raw_track), wanted, profile.read_json("profile.json"), source.artist, source.title
        )
        told = partial(_told, source, kept_tags(raw_track), storage.artefacts)
        files = contents(wanted, tags, made, told)
        whole = provenance_of(source, kept_tags(raw_track), [*made.values()], storage.artefacts)
        facts = facts_of(source, tags, wanted, made, whole)
        # Before the cache is asked: a folder that its owner has emptied is filled again.
        exported = [
            export(storage.store, source.track, folder, files, facts),
            export(storage.store, source.track, "", mirrored_files(made), None, MIRRORED_LIBRARY),
        ]
    names = [*files, METADATA]

    def work(into: Path, _: object) -> Product:
        listed = json.dumps({"folder": folder, "files": names}, indent=1, ensure_ascii=False)
        (into / "exports.json").write_text(listed, encoding="utf-8")
        measures: dict[str, float | int | str | bool] = {
            "files_exported": len(names),
            "folder": f"exports/{folder}",
        }
        return Product({"exports.json": into / "exports.json"}, measures, _notes(targets, files))

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


def _told(source: Source, tags: Tags, artefacts: Artefacts, artefact: Artefact) -> Mapping[str, str]:
    return provenance_of(source, tags, [artefact], artefacts).tags()


def _notes(targets: Mapping[str, Artefact], files: Mapping[str, Outgoing]) -> tuple[str, ...]:
    """What a form of sound or a program could not hold."""
    conversions = dict.fromkeys(each.conversion for each in files.values() if each.conversion)
    of_sound = [note for conversion in conversions for note in conversion.notes()]
    of_targets = [f"{name}: {note}" for name, each in targets.items() for note in each.manifest.notes]
    return (*of_sound, *of_targets)
