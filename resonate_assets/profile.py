"""profile: what the track is: tempo, beats, key, loudness, bandwidth, width, sections."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.profiling.resource import CODE_VERSION, ProfilingResource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"json"})
def profile(
    context: dg.AssetExecutionContext,
    raw_track: Artefact,
    storage: StorageResource,
    profiling: ProfilingResource,
) -> dg.MaterializeResult[Artefact]:
    """The track's profile as JSON."""
    return produce(
        context,
        storage,
        profiling.engine(),
        versions(raw_track=raw_track),
        lambda into, progress: profiling.profile(raw_track.recording(TRACK), into, progress),
    )
