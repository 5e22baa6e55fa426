"""mix: the restored stems, summed as planned."""

import dagster as dg

from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Mixing
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.mixing import resource
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def mix(
    context: dg.AssetExecutionContext,
    mix_plan: Artefact,
    restored_track: Artefact,
    restored_stems: Artefact,
    storage: StorageResource,
    mixing: dg.ResourceParam[Mixing],
) -> dg.MaterializeResult[Artefact]:
    """The mix. Where the plan moves nothing, it is the sum of the stems, and so the track."""
    plan = MixPlan.read(mix_plan.path(resource.PLAN))
    track = restored_track.recording(TRACK)
    alone = plan.balance == "master-only"
    read = [] if alone else [restored_stems.files(*restored_stems.stem_files)]
    return produce(
        context,
        storage,
        mixing.recipe(),
        [mix_plan.files(resource.PLAN), *read, restored_track.files(TRACK)],
        lambda into, progress: mixing.mix(
            {"track": track} if alone else restored_stems.stems(), plan, into, progress, track
        ),
    )
