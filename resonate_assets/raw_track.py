"""raw_track: the user's file, decoded once and kept lossless, with its tags; or the sum of what was composed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_assets.automation import redecode
from resonate_assets.origin import GENERATED, generated_of, source_of, taken_or_let_go
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.composition.labels import told_of_file
from resonate_resources.composition.resource import REPORT
from resonate_resources.ingestion import composed, ingest
from resonate_resources.ingestion.refusing import refused_in_one_line
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.words import is_words
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source


@track_asset(
    code_version=code_of(ingest.__name__, ingest.CODE_VERSION),
    automation_condition=redecode,
    kinds={"ffmpeg"},
    deps=[GENERATED],  # loaded where the track was composed
)
def raw_track(
    context: dg.AssetExecutionContext, storage: StorageResource, inbox: InboxResource
) -> dg.MaterializeResult[Artefact]:
    """The file, decoded to 32-bit float WAV at its own rate and channels, with its tags; of words, the sum of the
    stems composed from them. A file that can't be decoded is listed in `rejections`, with the reason, and is no
    track any more. One that was replaced since it was found is another track now: this one goes, and nothing is
    listed. One that is out of reach stays a track."""
    source = source_of(context, storage)
    if is_words(source):
        return _composed(context, storage, source)

    def work(into: Path, progress: Progress) -> Product:
        with TemporaryDirectory(dir=into) as download:
            # A file out of reach (a drive that is not mounted) says nothing of its content: the track stays.
            with refused_in_one_line(source.uri):
                file = storage.local_copy(source.uri, Path(download))
                file.open("rb").close()
            with taken_or_let_go(context, storage, source):
                return ingest.ingest(file, source, inbox.limits, into, progress)

    result = produce(context, storage, ingest.recipe(inbox.limits), [ingest.source_read(source)], work)
    storage.sources.accept(source.track, source.uri)
    return result


def _composed(
    context: dg.AssetExecutionContext, storage: StorageResource, source: Source
) -> dg.MaterializeResult[Artefact]:
    generated = generated_of(storage, source.track)
    if generated is None:
        raise dg.Failure(f"{source.track}: its stems are to be generated first")
    tags, facts = told_of_file(generated.read_json(REPORT))
    return produce(
        context,
        storage,
        composed.recipe(),
        [generated.files(*generated.stem_files), generated.reading({"tags": tags.to_json(), "facts": facts})],
        lambda into, _: composed.sum_of(generated.stems(), tags, facts, into),
    )
