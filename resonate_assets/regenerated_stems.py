"""regenerated_stems: the MIDI, played by instruments made from the track itself, or synthesised."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Regeneration
from resonate_resources.regeneration import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"faust"})
def regenerated_stems(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    profile: Artefact,
    midi: Artefact,
    stems: Artefact,
    storage: StorageResource,
    regeneration: dg.ResourceParam[Regeneration],
) -> dg.MaterializeResult[Artefact]:
    """Stems played anew, of the originals' length, tone, level and width; those that the brief keeps are the
    originals."""
    wanted = asked_of(brief).regeneration
    told = profile.read_json("profile.json")
    bars = {"downbeats_s": told.get("downbeats_s") or []}
    notes = {name.removesuffix(".mid"): name for name in midi.note_files}
    return produce(
        context,
        storage,
        regeneration.recipe(wanted),
        [
            brief.reading({}),
            profile.reading({**bars}),
            midi.files(*notes.values()),
            stems.files(*stems.stem_files),
        ],
        lambda into, progress: regeneration.regenerate(
            {stem: midi.path(name) for stem, name in notes.items()},
            stems.stems(),
            bars["downbeats_s"],
            wanted,
            into,
            progress,
        ),
    )
