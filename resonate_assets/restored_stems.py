"""restored_stems: each stem without noise, and with the frequencies its recording lost."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.restoration.resource import CODE_VERSION, RestorationResource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"audio"})
def restored_stems(
    context: dg.AssetExecutionContext,
    stems: Artefact,
    storage: StorageResource,
    restoration: RestorationResource,
) -> dg.MaterializeResult[Artefact]:
    """Stems of the same names, rate and length. A step that would not help a stem is left out, and says so."""
    return produce(
        context,
        storage,
        restoration.engine(),
        versions(stems=stems),
        lambda into, progress: restoration.restore(stems.stems(), into, progress),
    )
