"""The one Definitions object, and the function that makes others like it for tests and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from resonate_assets.analysis import analysis
from resonate_assets.brief import brief
from resonate_assets.checks import CHECKS, library_check
from resonate_assets.composition import composition
from resonate_assets.exports import exports
from resonate_assets.generated_stems import generated_stems
from resonate_assets.generated_track import generated_track
from resonate_assets.gpu_machine import gpu_machine
from resonate_assets.jobs import process_track, set_brief, update_library
from resonate_assets.library import library
from resonate_assets.logs import log_as_asked
from resonate_assets.master import master
from resonate_assets.midi import midi
from resonate_assets.mix import mix
from resonate_assets.mix_plan import mix_plan
from resonate_assets.profile import profile
from resonate_assets.qc_scores import qc_scores
from resonate_assets.raw_track import raw_track
from resonate_assets.regenerated_stems import regenerated_stems
from resonate_assets.rejections import every_file_could_be_used, rejections
from resonate_assets.remix import remix
from resonate_assets.restored_stems import restored_stems
from resonate_assets.restored_track import restored_track
from resonate_assets.scan import scan_libraries
from resonate_assets.schedules import nightly_ingest, nightly_library, nightly_scan, nightly_upkeep
from resonate_assets.sensors import (
    automation,
    dead_runs,
    inbox_bucket,
    inbox_folder,
    library_files,
    reconcile_sensor,
    rejected_files,
    shown_tracks,
)
from resonate_assets.settings import Settings
from resonate_assets.stems import stems
from resonate_assets.targets import TARGETS
from resonate_assets.upkeep import upkeep
from resonate_resources.analysis.resource import AnalysisResource
from resonate_resources.brief.resource import BriefResource
from resonate_resources.composition.resource import CompositionResource
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.machines.resource import GpuMachineResource
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.mixing.resource import MixingResource
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.quality.resource import QualityResource
from resonate_resources.regeneration.resource import RegenerationResource
from resonate_resources.remixing.resource import RemixingResource
from resonate_resources.restoration.resource import RestorationResource
from resonate_resources.separation.resource import OLD_LEDGER, SeparationResource
from resonate_resources.storage.keeping import KeepingResource
from resonate_resources.storage.resource import ArtefactIOManager, S3Resource, StorageResource
from resonate_resources.transcription.resource import TranscriptionResource

ORIGIN_ASSETS = [composition, generated_stems]
"""Of a track that begins with words. Nothing of them is missing or behind where it begins with a file."""
TRACK_ASSETS = [
    brief,
    raw_track,
    profile,
    restored_track,
    stems,
    restored_stems,
    analysis,
    midi,
    mix_plan,
    mix,
    master,
    regenerated_stems,
    qc_scores,
    generated_track,
    remix,
    *TARGETS.values(),
    exports,
]


def build_defs(
    settings: Settings | None = None, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """The graph, for an instance that lives where the settings say (by default, the environment's).

    An override takes the place of a resource, also in those that depend on it: another `storage` keeps artefacts,
    another `s3` is where bucket and storage are.
    """
    settings = settings or Settings.from_environment()
    given = dict(resource_overrides or {})
    s3 = given.get("s3") or S3Resource(endpoint_url=settings.s3_endpoint)
    storage = given.get("storage") or StorageResource(
        root=settings.storage,
        s3=s3,
        cache=str(settings.home / "s3-cache"),
        database=settings.database_url,
        uploads=str(settings.uploads),
    )
    model = settings.conductor
    conductor = {
        "conductor_model": model.name if model else "",
        "conductor_server": model.server if model else "",
        "conductor_key_variable": model.key_variable if model else "",
    }
    resources: dict[str, Any] = {
        "s3": s3,
        "storage": storage,
        "io_manager": ArtefactIOManager(storage=storage),
        "inbox": InboxResource(
            folder=settings.inbox,
            bucket=settings.bucket,
            libraries=list(settings.libraries),
            no_music=[str(place) for place in (settings.home, settings.storage_folder) if place],
            s3=s3,
            **asdict(settings.limits),
        ),
        "briefs": BriefResource(storage=storage, folder=settings.inbox, bucket=settings.bucket),
        "composing": CompositionResource(**conductor),
        "separation": SeparationResource(
            database=settings.database_url, old_ledger=str(settings.home / OLD_LEDGER)
        ),
        "restoration": RestorationResource(),
        "transcription": TranscriptionResource(),
        "profiling": ProfilingResource(),
        "analysing": AnalysisResource(),
        "mixing": MixingResource(**conductor),
        "mastering": MasteringResource(),
        "regeneration": RegenerationResource(**conductor),
        "quality": QualityResource(),
        "remixing": RemixingResource(),
        "keeping": KeepingResource(
            events=settings.kept.events,
            results=settings.kept.results,
            light_days=settings.kept.light,
            light=str(settings.home / "light"),
        ),
        "gpu": GpuMachineResource(**(asdict(settings.gpu) if settings.gpu else {})),
    }
    return dg.Definitions(
        assets=[*ORIGIN_ASSETS, *TRACK_ASSETS, library, rejections],
        asset_checks=[*CHECKS, library_check(TRACK_ASSETS), every_file_could_be_used],
        jobs=[process_track, set_brief, scan_libraries, update_library, upkeep],
        sensors=[
            inbox_folder,
            inbox_bucket,
            library_files,
            rejected_files,
            shown_tracks,
            dead_runs,
            gpu_machine,
            automation,
            reconcile_sensor(TRACK_ASSETS),
        ],
        schedules=[nightly_ingest, nightly_library, nightly_scan, nightly_upkeep],
        resources=resources | given,
        executor=dg.in_process_executor,
    )


log_as_asked()
defs = build_defs()
