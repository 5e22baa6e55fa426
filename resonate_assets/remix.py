"""remix: material for remixes, as far as the brief asks for some."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, produce, track_asset
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
    told = profile.read_json("profile.json")
    known = {name: told.get(name) for name in resource.READ}
    mastered = file_name("", "wav")
    asked = wanted.asks
    return produce(
        context,
        storage,
        remixing.recipe(wanted),
        [
            brief.reading({}),
            profile.reading(known if asked else {}),
            restored_stems.files(*(restored_stems.stem_files if asked else ())),
            master.files(*((mastered,) if asked else ())),
        ],
        lambda into, progress: remixing.remix(
            {**restored_stems.stems(), "master": master.recording(mastered)} if asked else {},
            known,
            wanted,
            into,
            progress,
        ),
    )
