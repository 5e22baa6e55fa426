"""Music libraries are scanned at night, and a few files at a time are asked for, the most urgent first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets import sensors
from resonate_assets.partitions import tracks
from resonate_assets.runs import PARTITION_TAG
from resonate_assets.scan import scan_libraries
from resonate_assets.sensors import library_files
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.scanning import scan
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.scanned import ScannedLibrary
from resonate_tests.dj_libraries import put_crate
from resonate_tests.tiny_music import music

NAME = str(tracks.name)
PRIORITY = "dagster/priority"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as temporary:
        yield temporary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


@pytest.fixture
def settings(folder: Path, tmp_path: Path) -> InboxResource:
    return InboxResource(libraries=[str(folder)], no_music=[str(folder / "home")], s3=S3Resource())


def drop(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(music(os.fsencode(name)))
    return path


class Night:
    """Scans, and ticks of the sensor of which the daemon does what it does: adds partitions, then keeps runs."""

    def __init__(
        self, instance: dg.DagsterInstance, storage: StorageResource, settings: InboxResource, folder: Path
    ) -> None:
        self.instance, self.storage, self.settings = instance, storage, settings
        self.plan = ScannedLibrary(storage.database, str(folder))
        self.cursor: str | None = None
        self.runs: dict[str, dict[str, str]] = {}
        """Run key → tags."""

    def scan(self) -> None:
        resources = {"storage": self.storage, "inbox": self.settings}
        assert scan_libraries.execute_in_process(instance=self.instance, resources=resources).success

    def evaluate(self) -> dg.SensorResult:
        resources = {"storage": self.storage, "inbox": self.settings}
        with dg.build_sensor_context(self.instance, cursor=self.cursor, resources=resources) as context:
            result = library_files(context)
        assert isinstance(result, dg.SensorResult)
        return result

    def tick(self) -> list[str]:
        """Files of the tracks that were asked for, in that order."""
        result = self.evaluate()
        for request in result.dynamic_partitions_requests or []:
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        asked = []
        for run in result.run_requests or []:
            assert run.partition_key in self.instance.get_dynamic_partitions(NAME)
            if run.run_key not in self.runs:
                self.runs[str(run.run_key)] = dict(run.tags)
                self.instance.add_run(
                    dg.DagsterRun(
                        "process_track",
                        f"run {len(self.runs)}",
                        status=dg.DagsterRunStatus.STARTED,
                        tags={PARTITION_TAG: str(run.partition_key)},
                    )
                )
            source = self.storage.sources.find(str(run.partition_key))
            assert source is not None
            asked.append(source.name)
        self.cursor = result.cursor
        return asked

    def end_runs(self) -> None:
        for run in self.instance.get_runs():
            if not run.is_finished:
                self.instance.report_run_canceled(run)


@pytest.fixture
def night(
    instance: dg.DagsterInstance, storage: StorageResource, settings: InboxResource, folder: Path
) -> Night:
    return Night(instance, storage, settings, folder)


def test_files_of_a_library_are_asked_for_where_they_lie_the_chosen_ones_first(
    night: Night, folder: Path, storage: StorageResource
) -> None:
    for name in ("a.wav", "b.wav", "deep/c feat. d.wav"):
        drop(folder, name)
    put_crate(folder, "Mine", folder / "b.wav")
    drop(folder, "home/exports/e.wav")
    night.scan()
    assert night.tick() == ["b.wav", "c feat. d.wav", "a.wav"]
    priorities = [int(tags[PRIORITY]) for tags in night.runs.values()]
    assert priorities == sorted(priorities, reverse=True)
    assert max(priorities) < 0
    assert {source.uri for source in storage.sources.all()} == {
        str(folder / name) for name in ("a.wav", "b.wav", "deep/c feat. d.wav")
    }


def test_no_more_are_under_way_than_there_is_room_for(
    night: Night, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "_LIBRARY_TRACKS", 3)
    for number in range(7):
        drop(folder, f"{number}.wav")
    night.scan()
    assert night.tick() == ["0.wav", "1.wav", "2.wav"]
    assert night.tick() == []
    night.end_runs()
    assert night.tick() == ["3.wav", "4.wav", "5.wav"]
    night.end_runs()
    assert night.tick() == ["6.wav"]
    night.end_runs()
    assert night.tick() == []
    assert night.plan.counts() == {"new": 0, "taken": 7, "done": 0, "failed": 0}


def test_a_tick_of_which_nothing_was_kept_is_made_again(night: Night, folder: Path) -> None:
    drop(folder, "a.wav")
    night.scan()
    assert night.evaluate().run_requests
    assert night.tick() == ["a.wav"]
    assert len(night.runs) == 1


def test_content_that_is_a_track_already_is_found_again_and_not_asked_for(night: Night, folder: Path) -> None:
    drop(folder, "a.wav")
    night.scan()
    night.tick()
    (folder / "copy.wav").write_bytes((folder / "a.wav").read_bytes())
    night.scan()
    assert night.tick() == []
    assert night.tick() == []
    assert len(night.runs) == 1
    assert night.plan.counts()["taken"] == 2


def test_a_broken_file_is_told_once_and_the_others_are_asked_for(night: Night, folder: Path) -> None:
    (folder / "broken.wav").write_bytes(b"no music")
    drop(folder, "whole.wav")
    night.scan()
    assert night.tick() == ["whole.wav"]
    [failed] = night.plan.files(["failed"])
    assert failed.reason is not None
    assert failed.reason.startswith("broken.wav: ")
    assert night.tick() == []


def test_a_file_that_went_after_the_scan_is_told_and_is_no_rejected_one(
    night: Night, folder: Path, storage: StorageResource
) -> None:
    path = drop(folder, "b.wav")
    night.scan()
    path.unlink()
    assert night.tick() == []
    assert storage.sources.rejections() == []
    assert list(night.plan.files()) == []


def test_a_library_that_is_not_mounted_loses_nothing(night: Night, folder: Path) -> None:
    drop(folder, "a.wav")
    night.scan()
    folder.rename(folder.with_name("away"))
    night.scan()
    assert night.tick() == []
    folder.with_name("away").rename(folder)
    assert night.tick() == ["a.wav"]


def test_names_that_are_no_utf8_go_through_the_cursor(night: Night, folder: Path) -> None:
    drop(folder, "\udcff.wav")
    night.scan()
    night.tick()
    assert json.loads(night.cursor or "")
    night.tick()
    assert night.plan.counts()["taken"] == 1


def test_a_file_lies_in_the_innermost_of_the_libraries_that_are_known_or_ever_were_scanned(
    storage: StorageResource, tmp_path: Path
) -> None:
    inbox = InboxResource(folder=str(tmp_path / "in"), libraries=[str(tmp_path / "music")], s3=S3Resource())
    file = drop(tmp_path, "other/House/01 Intro.wav")
    assert inbox.root_of(file, storage.database) == file.parent
    scan(*inbox.library(str(tmp_path / "other"), storage.database))
    assert inbox.root_of(file, storage.database) == tmp_path / "other"
    scan(*inbox.library(str(file.parent), storage.database))
    assert inbox.root_of(file, storage.database) == file.parent
    for known in ("in", "music"):
        assert inbox.root_of(tmp_path / known / "House" / "a.wav", storage.database) == tmp_path / known
