"""master: the mix at −14 LUFS and at most −1 dBTP, as WAV, FLAC and MP3, with the track's tags."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.ingestion.ingest import kept_tags
from resonate_resources.mastering.resource import CODE_VERSION, MasteringResource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"audio"})
def master(
    context: dg.AssetExecutionContext,
    mix: Artefact,
    raw_track: Artefact,
    storage: StorageResource,
    mastering: MasteringResource,
) -> dg.MaterializeResult[Artefact]:
    """The master, measured again from the files that were written."""
    return produce(
        context,
        storage,
        mastering.engine(),
        versions(mix=mix, raw_track=raw_track),
        lambda into, progress: mastering.master(
            mix.recording("mix.wav"), kept_tags(raw_track), into, progress
        ),
    )
