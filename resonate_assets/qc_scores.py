"""qc_scores: how near the master and the regenerated stems are to the original, in twelve dimensions."""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.engine import Product
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.quality.resource import CODE_VERSION, QualityResource
from resonate_resources.recordings.recording import Progress
from resonate_resources.signal.summing import sum_recordings
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=CODE_VERSION, kinds={"parquet"})
def qc_scores(
    context: dg.AssetExecutionContext,
    raw_track: Artefact,
    master: Artefact,
    regenerated_stems: Artefact,
    storage: StorageResource,
    quality: QualityResource,
) -> dg.MaterializeResult[Artefact]:
    """Scores 0…100 as Parquet, one row a candidate and dimension."""

    def work(into: Path, progress: Progress) -> Product:
        with TemporaryDirectory(dir=into) as scratch:
            rebuilt = sum_recordings(regenerated_stems.stems().values(), Path(scratch) / "regenerated.wav")
            candidates = {"master": master.recording("master.wav"), "regenerated": rebuilt}
            return quality.score(raw_track.recording(TRACK), candidates, into, progress)

    inputs = versions(raw_track=raw_track, master=master, regenerated_stems=regenerated_stems)
    return produce(context, storage, quality.engine(), inputs, work)
