"""Targets: what programs for music read of a track, an asset each. One that the brief does not ask for is empty."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, one_line_errors, produce, produce_nothing, track_asset
from resonate_resources.capabilities import Regeneration
from resonate_resources.exporting.brief import TargetName
from resonate_resources.exporting.names import folder_name
from resonate_resources.exporting.targets import (
    CODE_VERSION,
    FOLDERS,
    IN_PLACE,
    MODULES,
    OF_REBUILT,
    settings_of,
    target_of,
)
from resonate_resources.exporting.track_song import MADE, REBUILT, REBUILT_REPORT, song_of
from resonate_resources.ingestion.ingest import TRACK, tags_read
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.music import READ
from resonate_resources.recordings.recording import Progress
from resonate_resources.recordings.score import MUSIC
from resonate_resources.regeneration import instrument_export
from resonate_resources.storage.artefacts import Artefact, Read
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source

_KINDS = {"ableton": "ableton", "dawproject": "xml", "rekordbox": "xml", "multitrack_midi": "midi"}
_TOLD: dict[TargetName, str] = {
    "ableton": "Ableton Live: a project with stems on warped beats, sections, key and notes.",
    "dawproject": "Bitwig Studio, Studio One, Cubase: a DAWproject with stems on warped beats and notes.",
    "ni_stems": "Traktor, Mixxx: one file of the master and four stems.",
    "rekordbox": "rekordbox: beat grid, cues at sections and key, as XML.",
    "serato": "Serato: a copy of the file with beat grid and cues, and a crate.",
    "multitrack_midi": "One MIDI file: all stems' notes, tempi, metres, keys and sections.",
    "archive": "Stems and MIDI files in one ZIP.",
    "mirrored": "Stems in folders as those of the library that the track came from.",
    "sfz": "Samplers: the stems' own sounds as SFZ, what they play as MIDI, and presets of what else might.",
}
_MAKERS: dict[TargetName, tuple[str, ...]] = {"sfz": (instrument_export.__name__,)}
"""Code that works for a target, of another capability."""


def _asset_of(name: TargetName) -> dg.AssetsDefinition:
    code = (MODULES[name].__name__, *_MAKERS.get(name, ()))
    stages = (*MADE, *((REBUILT,) if name in OF_REBUILT else ()))

    @track_asset(
        name=name,
        code_version=code_of(code, CODE_VERSION),
        kinds={_KINDS.get(name, "audio")},
        description=_TOLD[name],
        # Loaded where they are needed: each is an event in Dagster's log, and most tracks ask for none.
        deps=[*stages],
    )
    def target(
        context: dg.AssetExecutionContext,
        brief: Artefact,
        storage: StorageResource,
        inbox: InboxResource,
        regeneration: dg.ResourceParam[Regeneration],
    ) -> dg.MaterializeResult[Artefact]:
        wanted = asked_of(brief)
        if name not in wanted.exports.targets:
            return produce_nothing(context, storage, brief, {"asked": False})
        if name in IN_PLACE and storage.in_bucket:
            note = f"storage is in a bucket, where {name} finds no files: `resonate export {name}` writes a folder"
            return produce_nothing(context, storage, brief, {"asked": True}, note)
        made = _loaded(storage, context.partition_key, stages)
        with one_line_errors():
            source = source_of(storage, context.partition_key)
            song = song_of(source, wanted, made, storage.artefacts)
        folder = folder_name(source.artist, source.title, source.sha256)
        at = Path(storage.store.location(f"exports/{folder}/{FOLDERS.get(name, '')}"))
        library = inbox.root_of(song.source, storage.database)
        asked: dict[str, Json] = {
            "asked": True,
            "tags": song.tags.to_json(),
            "source": str(song.source or ""),
            "source_changed": song.source_changed,
            "provenance": song.provenance.to_json() if song.provenance else None,
            **settings_of(name, wanted.exports, at, library),
        }

        def work(into: Path, progress: Progress) -> Product:
            return target_of(name, wanted.exports, at, library, regeneration).write(song, into, progress)

        recipe = Recipe.of(code, Engine("resonate"), asked, CODE_VERSION)
        return produce(context, storage, recipe, _reads(brief, made), work)

    return target


def _loaded(storage: StorageResource, track: str, stages: Sequence[str]) -> dict[str, Artefact]:
    made = {stage: storage.artefacts.current(stage, track) for stage in stages}
    for stage, artefact in made.items():
        if artefact is None:
            raise dg.Failure(
                f"{stage}: there is no artefact of {track} in storage; materialise {stage} first"
            )
    return {stage: artefact for stage, artefact in made.items() if artefact is not None}


def source_of(storage: StorageResource, track: str) -> Source:
    source = storage.sources.find(track)
    if source is None:
        raise dg.Failure(f"{track}: no source is registered; drop its file into the inbox")
    return source


def _reads(brief: Artefact, made: dict[str, Artefact]) -> list[Read]:
    profile, analysis = made["profile"].read_json("profile.json"), made["analysis"].read_json("analysis.json")
    return [
        brief.reading({}),
        tags_read(made["raw_track"]),
        made["raw_track"].files(TRACK),
        made["profile"].reading({name: profile.get(name) for name in (*READ, "key_confidence")}),
        made["analysis"].reading({"sections": analysis["sections"]}),
        made["restored_stems"].files(*made["restored_stems"].stem_files),
        made["midi"].files(*made["midi"].note_files, *({MUSIC} & made["midi"].manifest.files.keys())),
        made["master"].files("master.wav"),
        *([made[REBUILT].files(REBUILT_REPORT)] if REBUILT in made else []),
    ]


TARGETS = {name: _asset_of(name) for name in get_args(TargetName)}
ON_REQUEST = (*TARGETS, "remix", "generated_track")
"""Stages that make nothing unless the brief asks."""
