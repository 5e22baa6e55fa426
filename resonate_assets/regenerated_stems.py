"""regenerated_stems: the MIDI, played by synthesised instruments at the level of the original stems."""

import dagster as dg

from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Regeneration
from resonate_resources.regeneration import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"faust"})
def regenerated_stems(
    context: dg.AssetExecutionContext,
    midi: Artefact,
    stems: Artefact,
    storage: StorageResource,
    regeneration: dg.ResourceParam[Regeneration],
) -> dg.MaterializeResult[Artefact]:
    """Synthesised stems of the same length as the originals, and as loud."""
    notes = {name.removesuffix(".mid"): name for name in midi.note_files}
    return produce(
        context,
        storage,
        regeneration.recipe(),
        [midi.files(*notes.values()), stems.files(*stems.stem_files)],
        lambda into, progress: regeneration.regenerate(
            {stem: midi.path(name) for stem, name in notes.items()}, stems.stems(), into, progress
        ),
    )
