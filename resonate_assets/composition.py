"""composition: what was understood of a track's words, and the plan of a piece made from it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from resonate_assets.origin import source_of, taken_or_let_go
from resonate_assets.stage import nothing, produce, track_asset
from resonate_resources.capabilities import Composition
from resonate_resources.composition import resource
from resonate_resources.ingestion.refusing import ReplacedError, refused_in_one_line
from resonate_resources.ingestion.words import Words, is_words
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress
from resonate_resources.storage.artefacts import Read
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version="1", automation_condition=None, kinds={"json"})
def composition(
    context: dg.AssetExecutionContext, storage: StorageResource, composing: dg.ResourceParam[Composition]
) -> dg.MaterializeResult[Any]:
    """Words, understood, and planned as a piece of music. Of a track that begins with a file there is nothing.

    What was composed once stays as it is: a later version of the composer is another composer.
    """
    source = source_of(context, storage)
    if not is_words(source):
        return nothing("the track begins with a file")

    def work(into: Path, _: Progress) -> Product:
        with TemporaryDirectory(dir=into) as download:
            with refused_in_one_line(source.uri):
                file = storage.local_copy(source.uri, Path(download))
                text = file.read_bytes()
            with taken_or_let_go(context, storage, source):
                words = Words.parse(text, source.name)
                if words.sha256 != source.sha256:
                    raise ReplacedError(
                        f"{source.name}: has changed since it was found; it will be taken in as a new track"
                    )
                return composing.compose(words, source.title or source.track, into)

    recipe = Recipe.of(resource.__name__, Engine("composer"), version=resource.CODE_VERSION)
    read = Read("source", source.sha256, {"sha256": source.sha256, "title": source.title})
    result = produce(context, storage, recipe, [read], work, accepts=lambda _: True)
    storage.sources.accept(source.track, source.uri)
    return result
