"""profile: what the track is: tempo, beats, key, loudness, width, sections; of a composed one by its plan."""

from dataclasses import asdict

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.origin import GENERATED, played_by_plan
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Composition, Profiling
from resonate_resources.composition.resource import PLAN
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.profiling import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource

_BY_PLAN = "1"
"""Raised when what is taken of a plan changes: what was heard of other tracks is found again in the cache."""


@track_asset(
    code_version=code_of(resource.__name__, f"{resource.CODE_VERSION}.{_BY_PLAN}"),
    kinds={"json"},
    deps=[GENERATED],  # read where the track was composed
)
def profile(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    raw_track: Artefact,
    storage: StorageResource,
    profiling: dg.ResourceParam[Profiling],
    composing: dg.ResourceParam[Composition],
) -> dg.MaterializeResult[Artefact]:
    """Tempo, beats, key, loudness, bandwidth, width and sections of the track.

    Where the composer played the track, tempo, beats, metre, key and sections are its plan's.
    """
    wanted = asked_of(brief).profile
    generated = played_by_plan(storage, context.partition_key)
    planned = composing.planned_music(generated.path(PLAN)) if generated else None
    by_plan = [generated.reading(asdict(planned))] if generated and planned else []
    return produce(
        context,
        storage,
        profiling.recipe(wanted),
        [brief.reading({}), raw_track.files(TRACK), *by_plan],
        lambda into, progress: profiling.profile(raw_track.recording(TRACK), wanted, into, progress, planned),
    )
