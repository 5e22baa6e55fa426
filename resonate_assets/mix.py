"""mix: the restored stems, balanced and summed."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.mixing.resource import CODE_VERSION, MixingResource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"audio"})
def mix(
    context: dg.AssetExecutionContext,
    restored_stems: Artefact,
    storage: StorageResource,
    mixing: MixingResource,
) -> dg.MaterializeResult[Artefact]:
    """The mix, with headroom for mastering."""
    return produce(
        context,
        storage,
        mixing.engine(),
        versions(restored_stems=restored_stems),
        lambda into, progress: mixing.mix(restored_stems.stems(), into, progress),
    )
