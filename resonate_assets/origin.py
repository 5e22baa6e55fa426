"""What a track begins with: a file, or words. Of a track that begins with words, what was made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.rejections import let_go
from resonate_resources.composition.engines.composer import Composer
from resonate_resources.ingestion.refusing import ReplacedError
from resonate_resources.ingestion.words import is_words
from resonate_resources.recordings.recording import AudioError, DestinationError
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection, Source

COMPOSITION, GENERATED = "composition", "generated_stems"


def source_of(context: dg.AssetExecutionContext, storage: StorageResource) -> Source:
    """Raises Failure where there is none."""
    source = storage.sources.find(context.partition_key)
    if source is None:
        raise dg.Failure(f"{context.partition_key}: no source is registered; drop its file into the inbox")
    return source


@contextmanager
def taken_or_let_go(
    context: dg.AssetExecutionContext, storage: StorageResource, source: Source
) -> Iterator[None]:
    """A source that turns out to be of no use in there is listed in `rejections` and is no track any more; one that
    was replaced goes, and nothing is listed. Raises the AudioError that tells."""
    try:
        yield
    except DestinationError:
        raise
    except ReplacedError:
        let_go(context.instance, storage, source.track)
        raise
    except AudioError as error:
        storage.sources.reject(Rejection(source.uri, str(error), source.track))
        let_go(context.instance, storage, source.track)
        raise


def generated_of(storage: StorageResource, track: str) -> Artefact | None:
    """The stems that a track was composed as; None of one that begins with a file."""
    source = storage.sources.find(track)
    return storage.artefacts.current(GENERATED, track) if source and is_words(source) else None


def played_by_plan(storage: StorageResource, track: str) -> Artefact | None:
    """Its stems, where they are exactly what its plan says: the composer's. What a model played is like its plan,
    and has to be heard as any recording has."""
    generated = generated_of(storage, track)
    return generated if generated and generated.manifest.engine.name == Composer.name else None


def restoration_asked(brief: Artefact, storage: StorageResource) -> RestorationBrief:
    """Of the brief's track. Nothing is amiss in what was composed: its stems stay what they were, and sum to it."""
    wanted = asked_of(brief).restoration
    composed = generated_of(storage, brief.manifest.track) is not None
    return wanted.model_copy(update={"steps": ()}) if composed else wanted
