"""remix: material for remixes, as far as the brief asks for some."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, produce_nothing, track_asset
from resonate_resources.capabilities import Remixing
from resonate_resources.mastering.targets import file_name
from resonate_resources.remixing import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def remix(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    profile: Artefact,
    restored_stems: Artefact,
    master: Artefact,
    storage: StorageResource,
    remixing: dg.ResourceParam[Remixing],
) -> dg.MaterializeResult[Artefact]:
    """Stems and master at another tempo and in another key, chops of the voice, loops; nothing where nothing is
    asked for."""
    wanted = asked_of(brief).remixing
    if not wanted.asks:
        return produce_nothing(context, storage, brief, {"asked": False})
    told = profile.read_json("profile.json")
    known = {name: told.get(name) for name in resource.READ}
    mastered = file_name("", "wav")
    return produce(
        context,
        storage,
        remixing.recipe(wanted),
        [
            brief.reading({}),
            profile.reading(known),
            restored_stems.files(*restored_stems.stem_files),
            master.files(mastered),
        ],
        lambda into, progress: remixing.remix(
            {**restored_stems.stems(), "master": master.recording(mastered)}, known, wanted, into, progress
        ),
    )
