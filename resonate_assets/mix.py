"""mix: the restored stems, balanced and summed."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Mixing
from resonate_resources.mixing import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def mix(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    restored_stems: Artefact,
    storage: StorageResource,
    mixing: dg.ResourceParam[Mixing],
) -> dg.MaterializeResult[Artefact]:
    """The mix, with headroom for mastering."""
    wanted = asked_of(brief).mixing
    return produce(
        context,
        storage,
        mixing.recipe(wanted),
        [brief.reading({}), restored_stems.files(*restored_stems.stem_files)],
        lambda into, progress: mixing.mix(restored_stems.stems(), wanted, into, progress),
    )
