"""master: the mix at a loudness and under a ceiling, for each target and in each format of the brief, tagged."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, one_line_errors, produce, track_asset
from resonate_resources.capabilities import Mastering
from resonate_resources.ingestion.ingest import TRACK, kept_tags, tags_read
from resonate_resources.mastering import resource
from resonate_resources.recipe import Json
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def master(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    mix_plan: Artefact,
    mix: Artefact,
    raw_track: Artefact,
    storage: StorageResource,
    mastering: dg.ResourceParam[Mastering],
) -> dg.MaterializeResult[Artefact]:
    """The master, measured again from the files that were written; original, mix and master side by side."""
    wanted = asked_of(brief).mastering
    if wanted.reference_amount:
        with one_line_errors():
            wanted = wanted.model_copy(update={"reference": storage.at_hand(wanted.reference)})
    rough = float(mix_plan.manifest.measures["rough"])
    reasons: list[Json] = list(mix_plan.manifest.notes)
    with one_line_errors():
        recipe = mastering.recipe(wanted)
    return produce(
        context,
        storage,
        recipe,
        [
            brief.reading({}),
            mix_plan.reading({"rough": rough, "reasons": reasons}),
            mix.files("mix.wav"),
            tags_read(raw_track),
            raw_track.files(TRACK),
        ],
        lambda into, progress: mastering.master(
            mix.recording("mix.wav"),
            raw_track.recording(TRACK),
            wanted,
            rough,
            kept_tags(raw_track),
            into,
            progress,
            mix_plan.manifest.notes,
        ),
    )
