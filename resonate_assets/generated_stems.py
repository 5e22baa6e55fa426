"""generated_stems: the plan of a composition, played by instruments or by a model."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from resonate_assets.origin import COMPOSITION, source_of
from resonate_assets.stage import nothing, one_line_errors, produce, track_asset
from resonate_resources.capabilities import Composition, Profiling
from resonate_resources.composition import resource
from resonate_resources.composition.resource import HeardMusic
from resonate_resources.ingestion.words import is_words
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.storage.resource import StorageResource


@track_asset(
    code_version="1",
    automation_condition=None,
    kinds={"audio"},
    deps=[COMPOSITION],  # there is none where the track begins with a file
)
def generated_stems(
    context: dg.AssetExecutionContext,
    storage: StorageResource,
    composing: dg.ResourceParam[Composition],
    profiling: dg.ResourceParam[Profiling],
) -> dg.MaterializeResult[Any]:
    """The stems of a composition, which is heard, and tried again where its own tempo and key are not heard in it.
    Of a track that begins with a file there is nothing."""
    composition = storage.artefacts.current(COMPOSITION, context.partition_key)
    if not is_words(source_of(context, storage)) or composition is None:
        return nothing("the track begins with a file")
    request, plan = composition.path(resource.REQUEST), composition.path(resource.PLAN)
    with one_line_errors():
        recipe = composing.recipe(request)

    def work(into: Path, progress: Progress) -> Product:
        return composing.generate_from(request, plan, into, partial(heard_by, profiling), progress)

    read = composition.files(*composition.manifest.files)
    return produce(context, storage, recipe, [read], work, lambda _: True)


def heard_by(profiling: Profiling, mix: Recording) -> HeardMusic:
    """Tempo and key, as the profile of any track has them."""
    with TemporaryDirectory(dir=mix.path.parent) as folder:
        told = profiling.profile(mix, ProfileBrief(), Path(folder), silent)
        profile = Profile.read(told.files["profile.json"])
    return HeardMusic(profile.tempo_bpm, profile.key)
