"""qc_scores: how near the master and the regenerated stems are to the original, in sixteen dimensions."""

from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.capabilities import Quality
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.quality import resource
from resonate_resources.quality.music import READ, Music
from resonate_resources.quality.resource import Judged
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress
from resonate_resources.regeneration.resource import LEFT_OUT
from resonate_resources.signal.summing import sum_recordings
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"parquet"})
def qc_scores(
    context: dg.AssetExecutionContext,
    restored_track: Artefact,
    master: Artefact,
    regenerated_stems: Artefact,
    stems: Artefact,
    profile: Artefact,
    analysis: Artefact,
    storage: StorageResource,
    quality: dg.ResourceParam[Quality],
) -> dg.MaterializeResult[Artefact]:
    """How near master and regenerated stems are to the original: scores 0…100 in sixteen dimensions."""

    known = profile.read_json("profile.json"), analysis.read_json(ANALYSIS)
    facts, heard = ({name: told[name] for name in names} for told, names in zip(known, READ, strict=True))

    def work(into: Path, progress: Progress) -> Product:
        with TemporaryDirectory(dir=into) as scratch:
            rebuilt = sum_recordings(regenerated_stems.stems().values(), Path(scratch) / "regenerated.wav")
            candidates = {
                "master": Judged(master.recording("master.wav"), "master"),
                "regenerated": Judged(rebuilt, "rebuilt", regenerated_stems.stems()),
            }
            if LEFT_OUT in regenerated_stems.manifest.files:
                left_out = regenerated_stems.recording(LEFT_OUT)
                candidates["leave_one_out"] = Judged(left_out, "rebuilt")
            track, music = restored_track.recording(TRACK), Music.of(facts, heard)
            return quality.score(track, music, stems.stems(), candidates, into, progress)

    reads = [
        restored_track.files(TRACK),
        master.files("master.wav"),
        regenerated_stems.files(
            *(name for name in regenerated_stems.manifest.files if name.endswith(".wav"))
        ),
        stems.files(*stems.stem_files),
        profile.reading(facts),
        analysis.reading(heard),
    ]
    return produce(context, storage, quality.recipe(), reads, work)
