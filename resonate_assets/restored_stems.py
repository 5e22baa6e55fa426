"""restored_stems: each stem without what is amiss in it alone, and with the octaves that its recording lost."""

import dagster as dg

from resonate_assets.origin import restoration_asked
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Restoration
from resonate_resources.restoration import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def restored_stems(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    restored_track: Artefact,
    stems: Artefact,
    storage: StorageResource,
    restoration: dg.ResourceParam[Restoration],
) -> dg.MaterializeResult[Artefact]:
    """Stems of the same names, rate and length. A step that would not help a stem is left out, and says so."""
    wanted = restoration_asked(brief, storage)
    facts = restored_track.read_json(resource.TRACES)
    return produce(
        context,
        storage,
        restoration.recipe(wanted, "stem"),
        [brief.reading({}), restored_track.reading(facts), stems.files(*stems.stem_files)],
        lambda into, progress: restoration.restore_stems(stems.stems(), facts, wanted, into, progress),
        lambda made: restoration.accepts(made, wanted, "stem"),
    )
