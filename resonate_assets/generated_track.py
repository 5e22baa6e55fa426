"""generated_track: the recording made anew, where the brief asks for that or its noise does; never in its place."""

from pathlib import Path
from typing import Any

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, produce_nothing, track_asset
from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.capabilities import Composition
from resonate_resources.composition import anew
from resonate_resources.composition.engines.jasco import recording
from resonate_resources.composition.engines.jasco.recording import HeardRecording
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import REBUILT, Progress
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource

_KNOWN = ("tempo_bpm", "key", "hints")
_DRUMS = "drums"


@track_asset(code_version=code_of((anew.__name__, recording.__name__), anew.CODE_VERSION), kinds={"audio"})
def generated_track(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    profile: Artefact,
    restored_track: Artefact,
    analysis: Artefact,
    midi: Artefact,
    stems: Artefact,
    regenerated_stems: Artefact,
    storage: StorageResource,
    composing: dg.ResourceParam[Composition],
) -> dg.MaterializeResult[Artefact]:
    """The music of the track, generated, and blended with what was restored; nothing where it is not asked for."""
    wanted = asked_of(brief).restoration
    heard = profile.read_json("profile.json")
    snr_db = anew.signal_to_noise_db(heard["snr_db"], heard["over_steady_noise_db"])
    share, why = anew.share_of(wanted.mode, wanted.blend, snr_db)
    notes = [] if wanted.mode == "restore" else [why]
    by_model = wanted.generator == "jasco"
    lacking = ""
    if share and by_model:
        lacking = composing.lacks_for_anew()
    elif share and REBUILT not in regenerated_stems.manifest.files:
        lacking = "there is nothing that could be played"
    if lacking:
        share, notes = 0.0, [f"nothing is generated: {lacking}"]
    if not share:
        return produce_nothing(context, storage, brief, {"asked": wanted.mode != "restore"}, *notes)

    def played(into: Path, _: Progress) -> Product:
        rebuilt = regenerated_stems.recording(REBUILT)
        return composing.make_anew(restored_track.recording(TRACK), rebuilt, share, why, into)

    def modelled(into: Path, _: Progress) -> Product:
        led_by = _heard(profile, analysis, midi, stems)
        return composing.make_anew_by_model(restored_track.recording(TRACK), led_by, share, why, into)

    if by_model:
        recipe, work = composing.recipe_anew_by_model(share), modelled
        reads = [
            profile.reading({"snr_db": snr_db} | {name: heard.get(name) for name in _KNOWN}),
            analysis.reading(_analysed(analysis)),
            midi.files(*_pitched(midi).values()),
            stems.files(*_drums(stems)),
        ]
    else:
        recipe, work = composing.recipe_anew(share), played
        reads = [profile.reading({"snr_db": snr_db}), regenerated_stems.files(REBUILT)]
    return produce(context, storage, recipe, [brief.reading({}), restored_track.files(TRACK), *reads], work)


def _analysed(analysis: Artefact) -> dict[str, Any]:
    told = analysis.read_json(ANALYSIS)
    return {"chords": told["chords"], "melody_from": told["melody_from"]}


def _pitched(midi: Artefact) -> dict[str, str]:
    """Stem → its file of notes, but for drums."""
    names = {name.removesuffix(".mid"): name for name in midi.note_files}
    return {stem: name for stem, name in names.items() if stem != _DRUMS}


def _drums(stems: Artefact) -> list[str]:
    """Their file, where they were separated."""
    return [name for name in stems.stem_files if name == f"{_DRUMS}.wav"]


def _heard(profile: Artefact, analysis: Artefact, midi: Artefact, stems: Artefact) -> HeardRecording:
    told, analysed = profile.read_json("profile.json"), _analysed(analysis)
    return HeardRecording(
        hints=told.get("hints") or "",
        tempo_bpm=told["tempo_bpm"],
        key=told["key"],
        chords=[(chord["start_s"], chord["label"]) for chord in analysed["chords"]],
        notes={stem: read_notes(midi.path(name)) for stem, name in _pitched(midi).items()},
        melody_from=analysed["melody_from"],
        drums=next(map(stems.recording, _drums(stems)), None),
    )
