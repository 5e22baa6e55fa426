"""profile: what the track is: tempo, beats, key, loudness, bandwidth, width, sections."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Profiling
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.profiling import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"json"})
def profile(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    raw_track: Artefact,
    storage: StorageResource,
    profiling: dg.ResourceParam[Profiling],
) -> dg.MaterializeResult[Artefact]:
    """Tempo, beats, key, loudness, bandwidth, width and sections of the track."""
    wanted = asked_of(brief).profile
    return produce(
        context,
        storage,
        profiling.recipe(wanted),
        [brief.reading({}), raw_track.files(TRACK)],
        lambda into, progress: profiling.profile(raw_track.recording(TRACK), wanted, into, progress),
    )
