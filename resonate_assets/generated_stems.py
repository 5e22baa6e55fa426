"""generated_stems: the plan of a composition, played by instruments or by a model."""

import shutil
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from resonate_assets.origin import COMPOSITION, source_of
from resonate_assets.referencing import heard_by
from resonate_assets.stage import nothing, one_line_errors, produce, track_asset
from resonate_resources.capabilities import Composition, Profiling
from resonate_resources.composition import resource
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.ingestion.words import is_words
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress
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
    """The stems of a composition, which is heard, and tried again where its own tempo and key are not heard in it,
    or it is not like its reference. Of a track that begins with a file there is nothing."""
    composition = storage.artefacts.current(COMPOSITION, context.partition_key)
    if not is_words(source_of(context, storage)) or composition is None:
        return nothing("the track begins with a file")
    request, plan = composition.path(resource.REQUEST), composition.path(resource.PLAN)
    named = resource.REFERENCE in composition.manifest.files
    reference = HeardReference.read(composition.path(resource.REFERENCE)) if named else None
    styled = resource.STYLE in composition.manifest.files
    style = composition.path(resource.STYLE) if styled else None
    own = [name for name in composition.manifest.files if name.startswith(resource.SOUNDS)]
    with one_line_errors():
        recipe = composing.recipe(request, style)

    def work(into: Path, progress: Progress) -> Product:
        hear = partial(heard_by, profiling, reference)
        with TemporaryDirectory(dir=into) as folder:
            # Samplers name their samples, which lie otherwise where the store keeps them.
            for name in own:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(composition.path(name), Path(folder) / name)
            sounds = Path(folder) / resource.SOUNDS if own else None
            return composing.generate_from(request, plan, into, hear, progress, style, sounds)

    read = composition.files(*composition.manifest.files)
    return produce(context, storage, recipe, [read], work, lambda _: True)
