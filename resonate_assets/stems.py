"""stems: vocals, drums, bass and other, separated from the track."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.separation.resource import CODE_VERSION, SeparationResource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"audio"})
def stems(
    context: dg.AssetExecutionContext,
    raw_track: Artefact,
    storage: StorageResource,
    separation: SeparationResource,
) -> dg.MaterializeResult[Artefact]:
    """Stems of the track's rate and exact length, which sum to the track."""
    source = storage.sources.find(context.partition_key)
    megabytes = source.size / 1e6 if source else 0.0
    return produce(
        context,
        storage,
        separation.engine(),
        versions(raw_track=raw_track),
        lambda into, progress: separation.separate(
            raw_track.recording(TRACK), into, progress, megabytes=megabytes
        ),
        pool=None,  # it depends on the engine that runs
    )
