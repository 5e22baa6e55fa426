"""composition: what was understood of a track's words, and the plan of a piece made from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from resonate_assets.named_reference import NamedReference, find_reference
from resonate_assets.origin import COMPOSITION, source_of, taken_or_let_go
from resonate_assets.reference_sounds import SoundCutting, StemsAndNotes
from resonate_assets.stage import nothing, one_line_errors, produce, track_asset
from resonate_resources.capabilities import (
    Analysing,
    Composition,
    Profiling,
    Regeneration,
    Separation,
    Transcription,
)
from resonate_resources.composition import resource
from resonate_resources.ingestion.refusing import ReplacedError, refused_in_one_line
from resonate_resources.ingestion.words import Words, is_words
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError, DestinationError, Progress
from resonate_resources.storage.artefacts import Read
from resonate_resources.storage.pools import in_pool
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source

_REFERENCE = "reference/"
"""What manifests begin the names with of what was read of one."""


@track_asset(code_version="1", automation_condition=None, kinds={"json"})
def composition(
    context: dg.AssetExecutionContext,
    storage: StorageResource,
    composing: dg.ResourceParam[Composition],
    profiling: dg.ResourceParam[Profiling],
    analysing: dg.ResourceParam[Analysing],
    separation: dg.ResourceParam[Separation],
    transcription: dg.ResourceParam[Transcription],
    regeneration: dg.ResourceParam[Regeneration],
) -> dg.MaterializeResult[Any]:
    """Words, understood, and planned as a piece of music, in the style of a reference where they name one, with the
    reference's own sounds where they ask for them. Of a track that begins with a file there is nothing.

    What was composed once stays as it is: a later version of the composer is another composer, and a reference that
    has changed or is gone since was another one.
    """
    source = source_of(context, storage)
    if not is_words(source):
        return nothing("the track begins with a file")
    read = Read("source", source.sha256, {"sha256": source.sha256, "title": source.title})
    with TemporaryDirectory(prefix="resonate-") as scratch:
        words: Words | None = None
        reference: NamedReference | None = None
        made = StemsAndNotes()
        stays = _read_before(storage, source)
        if stays is None:
            with one_line_errors(), _named_after(source):
                words = _words(context, storage, source, Path(scratch))
                if words.reference:
                    reference = find_reference(storage, words.reference, source, Path(scratch))
            if reference and words.reference_sounds:
                made = StemsAndNotes.of(storage, reference)
            stays = [reference.read(made.values())] if reference else []
        recipe = Recipe.of(resource.__name__, Engine("composer"), version=resource.CODE_VERSION)
        in_cores = partial(in_pool, storage.database, "cores", source.track, context.log.info)

        def work(into: Path, _: Progress) -> Product:
            asked = words or _words(context, storage, source, Path(scratch))
            with TemporaryDirectory(dir=into) as folder:
                with taken_or_let_go(context, storage, source), _named_after(source), in_cores():
                    heard = reference.hear(Path(folder), profiling, analysing) if reference else None
                    recording = reference.recording(Path(folder)) if reference else None
                    planned = composing.compose(asked, source.title or source.track, into, heard, recording)
                if not (reference and recording and asked.reference_sounds):
                    return planned
                cutting = SoundCutting(separation, transcription, regeneration)
                profile, sounds = reference.profile(Path(folder)), into / resource.SOUNDS
                sounds.mkdir()
                cut = cutting.cut(recording, profile, reference.name, made, in_cores, sounds)
            files = {f"{resource.SOUNDS}{name}": path for name, path in cut.files.items()}
            return replace(
                planned,
                files={**planned.files, **files},
                notes=(*planned.notes, *cut.notes),
                recipe=replace(recipe, settings={"sounds": cut.recipe.keyed() if cut.recipe else None}),
            )

        # What it waits for, it waits for where it works: to separate takes other places than the rest.
        result = produce(context, storage, recipe, [read, *stays], work, accepts=lambda _: True, pool=None)
    storage.sources.accept(source.track, source.uri)
    return result


@contextmanager
def _named_after(source: Source) -> Iterator[None]:
    """What is wrong with words, or with the reference that they name, begins with the name of their file: whoever
    dropped twenty should know which."""
    name = printable_name(source.name)
    try:
        yield
    except (DestinationError, ReplacedError):
        raise
    except AudioError as error:
        if str(error).startswith(f"{name}: "):
            raise
        raise AudioError(f"{name}: {error}") from error


def _words(
    context: dg.AssetExecutionContext, storage: StorageResource, source: Source, scratch: Path
) -> Words:
    with refused_in_one_line(source.uri):
        text = storage.local_copy(source.uri, scratch).read_bytes()
    with taken_or_let_go(context, storage, source):
        words = Words.parse(text, source.name)
        if words.sha256 != source.sha256:
            raise ReplacedError(
                f"{source.name}: has changed since it was found; it will be taken in as a new track"
            )
    return words


def _read_before(storage: StorageResource, source: Source) -> Sequence[Read] | None:
    """What the composition that counts was made from beside the words; None where there is none to stay."""
    made = storage.artefacts.current(COMPOSITION, source.track)
    if made is None or COMPOSITION in storage.artefacts.anew or not made.complete():
        return None
    inputs, sha256 = made.manifest.inputs, made.manifest.made_from.get("reference")
    if inputs.get("source/sha256") != source.sha256:
        return None
    values = {
        name.removeprefix(_REFERENCE): value for name, value in inputs.items() if name.startswith(_REFERENCE)
    }
    return [Read("reference", sha256, values)] if sha256 else []
