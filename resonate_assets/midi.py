"""midi: one MIDI file per stem, in the track's tempo and bars; of a composed one, the notes it was played from."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.origin import GENERATED, played_by_plan
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Composition, Transcription
from resonate_resources.composition.resource import PLAN
from resonate_resources.recipe import Engine, Recipe
from resonate_resources.recordings.music import READ, Music
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.transcription import resource


@track_asset(
    code_version=code_of(resource.__name__, resource.CODE_VERSION),
    kinds={"midi"},
    deps=[GENERATED],  # read where the track was composed
)
def midi(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    stems: Artefact,
    profile: Artefact,
    storage: StorageResource,
    transcription: dg.ResourceParam[Transcription],
    composing: dg.ResourceParam[Composition],
) -> dg.MaterializeResult[Artefact]:
    """One MIDI file a stem, as played and quantised: notes of the pitched ones, and General MIDI drums.

    Where the composer played the track, they are its plan's; other engines' sound is heard as any recording is.
    """
    generated = played_by_plan(storage, context.partition_key)
    if generated:
        return produce(
            context,
            storage,
            Recipe.of(resource.__name__, Engine("given"), version=resource.CODE_VERSION),
            [generated.files(PLAN)],
            lambda into, _: transcription.given(composing.score(generated.path(PLAN)), into),
        )
    wanted = asked_of(brief).transcription
    told = profile.read_json("profile.json")
    known = {name: told.get(name) for name in READ}
    return produce(
        context,
        storage,
        transcription.recipe(wanted),
        [brief.reading({}), stems.files(*stems.stem_files), profile.reading(known)],
        lambda into, progress: transcription.transcribe(
            stems.stems(), Music.of(known), wanted, into, progress
        ),
    )
