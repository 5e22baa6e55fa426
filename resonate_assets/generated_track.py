"""generated_track: the recording made anew, where the brief asks for that or its noise does; never in its place."""

from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, produce_nothing, track_asset
from resonate_resources.capabilities import Composition
from resonate_resources.composition import anew
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import REBUILT, Progress
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(anew.__name__, anew.CODE_VERSION), kinds={"audio"})
def generated_track(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    profile: Artefact,
    restored_track: Artefact,
    regenerated_stems: Artefact,
    storage: StorageResource,
    composing: dg.ResourceParam[Composition],
) -> dg.MaterializeResult[Artefact]:
    """The music of the track, generated, and blended with what was restored; nothing where it is not asked for."""
    wanted = asked_of(brief).restoration
    snr_db = profile.read_json("profile.json")["snr_db"]
    share, why = anew.share_of(wanted.mode, wanted.blend, snr_db)
    notes = [] if wanted.mode == "restore" else [why]
    if share and REBUILT not in regenerated_stems.manifest.files:
        share, notes = 0.0, ["nothing is generated: there is nothing that could be played"]
    if not share:
        return produce_nothing(context, storage, brief, {"asked": wanted.mode != "restore"}, *notes)

    def work(into: Path, _: Progress) -> Product:
        rebuilt = regenerated_stems.recording(REBUILT)
        return composing.make_anew(restored_track.recording(TRACK), rebuilt, share, why, into)

    return produce(
        context,
        storage,
        composing.recipe_anew(share),
        [
            brief.reading({}),
            profile.reading({"snr_db": snr_db}),
            restored_track.files(TRACK),
            regenerated_stems.files(REBUILT),
        ],
        work,
    )
