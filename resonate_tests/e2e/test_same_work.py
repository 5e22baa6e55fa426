"""The same work has the same name, in another process, home or hour; and a brief changes what it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import soundfile as sf

from resonate_assets.definitions import build_defs
from resonate_assets.jobs import STAGES
from resonate_resources.storage.artefacts import compute_key
from resonate_resources.storage.manifest import Manifest
from resonate_studio.home import open_instance, settings_for
from resonate_studio.processing import Processor

WHERE = (
    "RESONATE_HOME",
    "DAGSTER_HOME",
    "RESONATE_STORAGE",
    "RESONATE_INBOX",
    "RESONATE_DATABASE",
    "RESONATE_BUCKET",
)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of chords, a bass and a beat, in noise."""
    rate = 44100
    seconds = np.arange(4 * rate) / rate
    noise = np.random.default_rng(1).normal(size=(2, seconds.size))
    beat = noise * np.exp(-30 * (seconds % 0.5))
    chord = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (220.0, 277.2, 329.6))
    mix = 0.1 * beat + 0.05 * chord + 0.1 * np.sin(2 * np.pi * 55 * seconds) + 0.002 * noise
    path = tmp_path_factory.mktemp("songs") / "song.flac"
    sf.write(path, mix.T, rate)
    return path


def manifests(home: Path) -> dict[str, Manifest]:
    return {
        path.parent.parent.name: Manifest.from_json(path.read_bytes())
        for path in (home / "artefacts").glob("*/*/manifest.json")
    }


def test_every_stage_made_in_two_processes_and_two_homes_has_equal_versions_and_keys(
    song: Path, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in WHERE}
    found = []
    for name, threads in (("one", "1"), ("another, deeper/home", "2")):
        home = tmp_path / name
        subprocess.run(
            [
                sys.executable,
                "-m",
                "resonate_studio.cli",
                "process",
                str(song),
                "--home",
                str(home),
                "--json",
            ],
            env={**environment, "OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        )
        found.append(manifests(home))
    one, two = found
    assert set(one) == set(two) == set(STAGES)
    assert {stage: made.data_version for stage, made in one.items()} == {
        stage: made.data_version for stage, made in two.items()
    }
    assert {stage: made.key for stage, made in one.items()} == {
        stage: made.key for stage, made in two.items()
    }
    for made in one.values():
        assert compute_key(made.stage, made.recipe, made.inputs) == made.key


@dataclass
class Studio:
    """A home with the graph, and one track in it."""

    processor: Processor
    instance: dg.DagsterInstance
    defs: dg.Definitions
    song: Path
    track: str = ""

    def process(self) -> dict[str, bool]:
        """Stage → whether it was found."""
        done = self.processor.process(self.song)
        assert done.error is None
        self.track = done.track or ""
        return {stage: self._latest(stage)["from_cache"].value for stage in STAGES}

    def set_brief(self, config: dict[str, Any], **more: Any) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def("set_brief").execute_in_process(
            instance=self.instance,
            partition_key=self.track,
            run_config={"ops": {"brief": {"config": config}}, **more},
            raise_on_error=False,
        )

    def manifest(self, stage: str) -> Manifest:
        artefact = self.processor.storage.artefacts.current(stage, self.track)
        assert artefact is not None
        return artefact.manifest

    def metadata(self, stage: str) -> dict[str, Any]:
        return self._latest(stage)

    def _latest(self, stage: str) -> dict[str, Any]:
        event = self.instance.get_latest_materialization_event(dg.AssetKey(stage))
        assert event is not None
        assert event.asset_materialization is not None
        return dict(event.asset_materialization.metadata)


@pytest.fixture(scope="module")
def studio(song: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in WHERE:
            patch.setenv(variable, "")  # so that it is put back afterwards
        settings = settings_for(tmp_path_factory.mktemp("home"))
        with open_instance(settings) as instance:
            studio = Studio(Processor(settings, instance), instance, build_defs(settings), song)
            studio.process()
            yield studio


def test_what_was_made_is_found(studio: Studio) -> None:
    assert all(studio.process().values())


def test_another_target_remakes_what_depends_on_it_and_nothing_else(studio: Studio) -> None:
    assert studio.set_brief({"mastering": {"target_lufs": -20.0}}).success
    found = studio.process()
    assert {stage for stage, cached in found.items() if not cached} == {"master", "qc_scores", "exports"}
    assert studio.manifest("master").measures["loudness_lufs"] == pytest.approx(-20, abs=0.1)
    assert studio.manifest("master").recipe["settings"]["target_lufs"] == -20  # type: ignore[index,call-overload]
    assert studio.metadata("master")["settings"].value["target_lufs"] == -20
    checks = {
        check.check_name: check.passed
        for check in studio.defs.resolve_job_def("process_track")
        .execute_in_process(instance=studio.instance, partition_key=studio.track)
        .get_asset_check_evaluations()
    }
    assert checks["master_is_at_target_loudness"]  # which is the brief's, not ours
    assert studio.set_brief({"unset": ["mastering.target_lufs"]}).success
    assert all(studio.process().values())  # going back costs nothing


def test_a_brief_set_in_the_launchpad_stays_for_runs_that_are_asked_for_without_it(studio: Studio) -> None:
    """A track that somebody made "aggressive" became "balanced" with the next rebuild."""
    assert studio.set_brief({"mixing": {"preset": "aggressive", "gains_db": {"drums": 3.0}}}).success
    studio.process()
    job = studio.defs.resolve_job_def("process_track")
    assert job.execute_in_process(instance=studio.instance, partition_key=studio.track).success
    settings: Any = studio.manifest("mix_plan").recipe["settings"]
    assert (settings["preset"], settings["gains_db"]) == ("aggressive", {"drums": 3.0})
    shown = studio.metadata("brief")["brief"].value.replace("\\", "")
    assert '| mixing.preset | "aggressive" | set for this track |' in shown
    assert studio.set_brief({"unset": ["mixing.preset", "mixing.gains_db"]}).success


def test_a_value_out_of_range_fails_in_one_line_and_changes_nothing(studio: Studio) -> None:
    before = studio.manifest("brief").data_version
    result = studio.set_brief({"mastering": {"target_lufs": 12.0}})
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told is not None
    assert "mastering.target_lufs: 12.0 can't be used" in (told.description or "")
    assert studio.manifest("brief").data_version == before


def test_a_resource_that_is_changed_in_the_launchpad_is_refused(studio: Studio) -> None:
    result = studio.set_brief({}, resources={"separation": {"config": {"policy": "/tmp/mine.toml"}}})
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "set_brief" in (failure.step_failure_data.user_failure_data.description or "")  # type: ignore[union-attr]


def test_resources_as_they_are_which_the_launchpad_writes_into_its_form_are_taken(studio: Studio) -> None:
    storage = studio.defs.resources["storage"]  # type: ignore[index]
    names = ("root", "cache", "cache_gib", "database", "uploads")
    as_it_is = {name: getattr(storage, name) for name in names}
    assert studio.set_brief({}, resources={"storage": {"config": as_it_is}}).success
    larger = as_it_is | {"cache_gib": 30.0}
    assert not studio.set_brief({}, resources={"storage": {"config": larger}}).success


def test_a_run_that_is_refused_for_its_resources_sets_nothing(studio: Studio) -> None:
    briefs = studio.defs.resources["briefs"]  # type: ignore[index]
    before = briefs.settings(studio.track)
    changed = {"separation": {"config": {"policy": "/tmp/mine.toml"}}}
    assert not studio.set_brief({"mastering": {"target_lufs": -30.0}}, resources=changed).success
    assert briefs.settings(studio.track) == before


def test_what_the_brief_knows_of_a_track_counts(studio: Studio) -> None:
    assert studio.set_brief({"profile": {"tempo_bpm": 60.0, "key": "F# minor"}}).success
    found = studio.process()
    assert {"midi", "profile"} <= {stage for stage, cached in found.items() if not cached}
    assert not {"stems", "restored_stems", "mix", "master"} & {
        stage for stage, cached in found.items() if not cached
    }
    profile = json.loads(
        Path(
            studio.processor.storage.artefacts.current("profile", studio.track).path("profile.json")
        ).read_text()  # type: ignore[union-attr]
    )
    assert (profile["tempo_bpm"], profile["key"]) == (60.0, "F# minor")


def test_one_more_field_in_the_profile_remakes_nothing(studio: Studio) -> None:
    assert studio.set_brief({"profile": {"hints": "recorded in a barn"}}).success
    found = studio.process()
    assert {stage for stage, cached in found.items() if not cached} == {"profile"}


def test_a_reference_moves_the_master_and_counts_by_its_content(studio: Studio, tmp_path: Path) -> None:
    samples, rate = sf.read(studio.song)
    reference = tmp_path / "reference.wav"
    sf.write(reference, np.diff(samples, axis=0), rate)  # 6 dB an octave brighter
    assert studio.set_brief({"mastering": {"reference": str(reference)}}).success
    again = {"master", "qc_scores", "exports"}
    assert {stage for stage, cached in studio.process().items() if not cached} == again
    made = studio.manifest("master")
    assert float(made.measures["reference_moved_db"]) > 10
    assert any(note.startswith("moved towards reference.wav") for note in made.notes)
    assert "reference.json" in made.files
    checks = {
        check.check_name: check.passed
        for check in studio.defs.resolve_job_def("process_track")
        .execute_in_process(instance=studio.instance, partition_key=studio.track)
        .get_asset_check_evaluations()
    }
    assert checks["master_keeps_its_balance"]
    sf.write(reference, samples, rate)
    assert not studio.process()["master"]
    assert float(studio.manifest("master").measures["reference_moved_db"]) < 3
    reference.unlink()
    failed = studio.processor.process(studio.song).error
    assert failed is not None
    assert "mastering.reference" in failed
    assert studio.set_brief({"unset": ["mastering.reference"]}).success
    assert all(studio.process().values())


def test_only_what_is_asked_for_is_made_and_exported(studio: Studio) -> None:
    assert studio.set_brief({"mastering": {"formats": ["mp3"]}, "exports": {"parts": ["master"]}}).success
    studio.process()
    reports = {"picture.png", "report.json", "thumbnail"}
    assert set(studio.manifest("master").files) == {"master.wav", "master.mp3"} | reports
    folder = Path(studio.processor.storage.store.location(str(studio.manifest("exports").measures["folder"])))
    assert {path.name for path in folder.iterdir()} == {
        f"{studio.song.stem} (Master).mp3",
        "metadata.json",
    }
    assert json.loads((folder / "metadata.json").read_text())["brief"]["mastering"]["formats"] == ["mp3"]
