"""raw_track: the user's file, decoded once and kept lossless, with its tags."""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_assets.automation import redecode
from resonate_assets.rejections import let_go
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.ingestion import ingest
from resonate_resources.ingestion.refusing import ReplacedError, refused_in_one_line
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import AudioError, DestinationError, Progress
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection


@track_asset(
    code_version=code_of(ingest.__name__, ingest.CODE_VERSION),
    automation_condition=redecode,
    kinds={"ffmpeg"},
)
def raw_track(
    context: dg.AssetExecutionContext, storage: StorageResource, inbox: InboxResource
) -> dg.MaterializeResult[Artefact]:
    """The file, decoded to 32-bit float WAV at its own rate and channels, with its tags. One that can't be
    decoded is listed in `rejections`, with the reason, and is no track any more. One that was replaced since it
    was found is another track now: this one goes, and nothing is listed. One that is out of reach stays a track."""
    source = storage.sources.find(context.partition_key)
    if source is None:
        raise dg.Failure(f"{context.partition_key}: no source is registered; drop its file into the inbox")

    def work(into: Path, progress: Progress) -> Product:
        with TemporaryDirectory(dir=into) as download:
            # A file out of reach (a drive that is not mounted) says nothing of its content: the track stays.
            with refused_in_one_line(source.uri):
                file = storage.local_copy(source.uri, Path(download))
                file.open("rb").close()
            try:
                return ingest.ingest(file, source, inbox.limits, into, progress)
            except DestinationError:
                raise
            except ReplacedError:
                let_go(context.instance, storage, source.track)
                raise
            except AudioError as error:
                storage.sources.reject(Rejection(source.uri, str(error), source.track))
                let_go(context.instance, storage, source.track)
                raise

    result = produce(context, storage, ingest.recipe(inbox.limits), [ingest.source_read(source)], work)
    storage.sources.accept(source.track, source.uri)
    return result
