"""Resources are what assets ask of them, whoever fulfils it; overriding one moves all that depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import numpy as np

from resonate_assets.definitions import build_defs
from resonate_assets.settings import Settings
from resonate_resources.mixing.brief import MixingBrief
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import TrackFacts
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import PLAN
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress, Recording, Stems, write_samples
from resonate_resources.signal.phase import Phase
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.sources import Source

STAGES = (
    "brief",
    "raw_track",
    "profile",
    "restored_track",
    "stems",
    "restored_stems",
    "mix_plan",
    "mix",
)


class FirstStemOnly:
    """A mixer of another make: no resource of Dagster's, no kin of ours."""

    def plan_recipe(self, brief: MixingBrief) -> Recipe:
        return Recipe(Engine("no plan"), brief.asked())

    def plan(
        self,
        stems: Stems,
        worth: Mapping[str, Sequence[Worth]],
        track: TrackFacts,
        brief: MixingBrief,
        into: Path,
        progress: Progress,
    ) -> Product:
        MixPlan(balance="original", rough=0.0, reasons=(), stems={}).write(into / PLAN)
        return Product({PLAN: into / PLAN}, {"rough": 0.0})

    def recipe(self) -> Recipe:
        return Recipe(Engine("first stem only"))

    def mix(
        self,
        stems: Stems,
        plan: MixPlan,
        into: Path,
        progress: Progress,
        original: Recording | None,
    ) -> Product:
        first = next(iter(stems.values()))
        mix = write_samples(into / "mix.wav", first.read(), first.sample_rate)
        phase = asdict(Phase(1.0, 1.0, 0.0, 0.0, 1.0, 0.0))
        return Product({"mix.wav": mix.path}, {"loudness_lufs": -20.0, "plain_peak_dbtp": 0.0, **phase})


def test_another_capability_and_another_storage_take_the_place_of_ours(tmp_path: Path) -> None:
    rate = 44100
    song = tmp_path / "song.wav"
    samples = 0.1 * np.random.default_rng(1).normal(size=(2, rate)).astype(np.float32)
    sha256 = write_samples(song, samples.astype(np.float32), rate).sha256
    elsewhere = StorageResource(
        root=str(tmp_path / "elsewhere"),
        s3=S3Resource(),
        cache=str(tmp_path / "cache"),
        database=f"sqlite:///{tmp_path / 'elsewhere.sqlite'}",
    )
    settings = Settings(tmp_path / "home", str(tmp_path / "home"), str(tmp_path / "inbox"), "", None)
    defs = build_defs(settings, {"storage": elsewhere, "mixing": FirstStemOnly()})
    elsewhere.sources.register(Source("song-000000000000", str(song), song.stat().st_size, sha256))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("tracks", ["song-000000000000"])
        job = defs.resolve_job_def("process_track")
        result = job.execute_in_process(
            instance=instance,
            partition_key="song-000000000000",
            asset_selection=[dg.AssetKey(name) for name in STAGES],
        )
    assert result.success
    mix = elsewhere.artefacts.current("mix", "song-000000000000")
    assert mix is not None
    assert mix.manifest.engine.name == "first stem only"
    assert mix.path("mix.wav").is_relative_to(tmp_path / "elsewhere")
    assert not (tmp_path / "home" / "artefacts").exists()
