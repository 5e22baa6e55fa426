"""stems: vocals, drums, bass and other, separated from the track; of a composed one, those it was composed as."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.origin import GENERATED, generated_of
from resonate_assets.stage import code_of, one_line_errors, produce, track_asset
from resonate_resources.capabilities import Separation
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.recipe import Engine, Recipe
from resonate_resources.separation import planning, resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(
    code_version=code_of(resource.__name__, planning.CODE_VERSION),
    kinds={"audio"},
    deps=[GENERATED],  # loaded where the track was composed
)
def stems(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    restored_track: Artefact,
    storage: StorageResource,
    separation: dg.ResourceParam[Separation],
) -> dg.MaterializeResult[Artefact]:
    """Vocals, drums, bass and other: of the track's rate and exact length, and they sum to it."""
    generated = generated_of(storage, context.partition_key)
    if generated:
        return produce(
            context,
            storage,
            Recipe.of(resource.__name__, Engine("given"), version=planning.CODE_VERSION),
            [generated.files(*generated.stem_files), restored_track.files(TRACK)],
            lambda into, _: separation.given(generated.stems(), restored_track.recording(TRACK), into),
        )
    source = storage.sources.find(context.partition_key)
    with one_line_errors():
        planned = separation.plan(
            restored_track.recording(TRACK),
            asked_of(brief).separation,
            megabytes=source.size / 1e6 if source else 0.0,
        )
    return produce(
        context,
        storage,
        planned.recipes,
        [brief.reading({}), restored_track.files(TRACK)],
        lambda into, progress: separation.separate(planned, into, progress),
        planned.accepts,
        pool=None,  # it depends on the engine that runs
    )
