"""Sensors: what they ask Dagster for, tick by tick, on an instance that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
from moto import mock_aws

from resonate_assets.partitions import tracks
from resonate_assets.sensors import inbox_bucket, inbox_folder
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.ingestion.track_key import TRACK_KEY
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.taken_in import TakenIn
from resonate_tests.bad_input import dangling_link
from resonate_tests.tiny_music import music

Sensor = Callable[..., Any]


class Daemon:
    """Ticks a sensor and does what the daemon does with the result, in its order."""

    def __init__(self, instance: dg.DagsterInstance, sensor: Sensor, storage: StorageResource) -> None:
        self.instance, self.sensor, self.storage = instance, sensor, storage
        self.inbox = InboxResource(folder="", bucket="", s3=S3Resource())
        self.cursor: str | None = None
        self.runs: list[str] = []
        """Partition of every run that was really launched: a run key is used once."""
        self._run_keys: set[str] = set()

    def evaluate(self) -> dg.SensorResult:
        """A tick of which nothing is kept."""
        resources = {"storage": self.storage, "inbox": self.inbox}
        with dg.build_sensor_context(self.instance, cursor=self.cursor, resources=resources) as context:
            result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result

    def tick(self) -> dg.SensorResult:
        result = self.evaluate()
        for request in result.dynamic_partitions_requests or []:
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        for run in result.run_requests or []:
            assert run.partition_key in self.instance.get_dynamic_partitions(str(tracks.name))
            if run.run_key not in self._run_keys:
                self._run_keys.add(str(run.run_key))
                self.runs.append(str(run.partition_key))
        self.cursor = result.cursor
        return result


@pytest.fixture
def daemon(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox, files_lie_still: None
) -> Daemon:
    watching = Daemon(instance, inbox_folder, storage)
    watching.inbox = InboxResource(folder=str(inbox.folder), bucket="", s3=S3Resource())
    return watching


def drop(daemon: Daemon, name: str, content: bytes = b"music") -> Path:
    path = Path(daemon.inbox.folder, name)
    path.write_bytes(music(content))
    return path


def why(result: dg.SensorResult) -> str:
    assert isinstance(result.skip_reason, dg.SkipReason)
    return str(result.skip_reason.skip_message)


def test_a_dropped_file_is_one_partition_and_one_run(daemon: Daemon, instance: dg.DagsterInstance) -> None:
    drop(daemon, "song.wav")
    for _ in range(4):
        daemon.tick()
    [key] = instance.get_dynamic_partitions(str(tracks.name))
    assert TRACK_KEY.fullmatch(key)
    assert key.startswith("song-")
    assert daemon.runs == [key]


def test_touching_renaming_and_a_lost_cursor_start_no_second_run(daemon: Daemon) -> None:
    path = drop(daemon, "song.wav")
    daemon.tick()
    path.touch()
    daemon.tick()
    path.rename(path.with_name("another name.wav"))
    daemon.tick()
    daemon.cursor = None
    daemon.tick()
    assert len(daemon.runs) == 1


def test_content_that_went_with_its_file_and_came_back_runs_again(
    daemon: Daemon, instance: dg.DagsterInstance
) -> None:
    path = drop(daemon, "song.wav")
    daemon.tick()
    [key] = daemon.runs
    tags = {"dagster/partition": key}
    instance.add_run(dg.DagsterRun("process_track", "r1", status=dg.DagsterRunStatus.FAILURE, tags=tags))
    instance.delete_dynamic_partition(str(tracks.name), key)
    path.unlink()
    daemon.tick()
    drop(daemon, "song.wav")
    for _ in range(3):
        daemon.tick()
    assert daemon.runs == [key, key]


def test_a_daemon_killed_before_it_kept_the_result_starts_the_run_when_it_is_back(daemon: Daemon) -> None:
    drop(daemon, "song.wav")
    lost = daemon.evaluate()
    assert len(lost.run_requests or []) == 1
    daemon.tick()
    daemon.tick()
    assert len(daemon.runs) == 1


def test_a_daemon_killed_between_run_and_cursor_starts_no_second_run(daemon: Daemon) -> None:
    drop(daemon, "song.wav")
    daemon.tick()
    daemon.cursor = None
    TakenIn(daemon.storage.database, daemon.inbox.folder).forget()
    for _ in range(3):
        daemon.tick()
    assert len(daemon.runs) == 1


def test_changed_content_is_a_second_run_and_the_first_partition_stays(
    daemon: Daemon, instance: dg.DagsterInstance
) -> None:
    drop(daemon, "song.wav", b"one")
    daemon.tick()
    drop(daemon, "song.wav", b"two and more")
    daemon.tick()
    assert len(set(daemon.runs)) == 2
    assert sorted(instance.get_dynamic_partitions(str(tracks.name))) == sorted(daemon.runs)


def test_a_tick_asks_for_no_more_than_the_limit(daemon: Daemon) -> None:
    for index in range(25):
        drop(daemon, f"{index}.wav", bytes([index]))
    asked = [len(daemon.tick().run_requests or []) for _ in range(3)]
    assert asked == [20, 5, 0]
    assert len(set(daemon.runs)) == 25


def test_a_tick_with_nothing_new_says_so_and_what_was_unreadable(daemon: Daemon) -> None:
    assert why(daemon.tick()) == f"nothing new in {daemon.inbox.folder}"
    dangling_link(Path(daemon.inbox.folder))
    assert "link.wav: is a link to a file that does not exist" in why(daemon.tick())


def test_a_file_that_may_be_growing_is_waited_for(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    daemon = Daemon(instance, inbox_folder, storage)
    daemon.inbox = InboxResource(folder=str(inbox.folder), bucket="", s3=S3Resource())
    drop(daemon, "song.wav")
    assert "1 being written" in why(daemon.tick())
    daemon.tick()
    assert len(daemon.runs) == 1


def test_a_folder_that_is_not_there_is_no_error(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    for folder in ("", "/nowhere/at all"):
        nowhere = InboxResource(folder=folder, bucket="", s3=S3Resource())
        with dg.build_sensor_context(instance, resources={"storage": storage, "inbox": nowhere}) as context:
            result = inbox_folder(context)
        assert isinstance(result, dg.SkipReason)
        assert str(result.skip_message).startswith("there is no folder")


def test_objects_in_a_bucket_are_each_one_run_whatever_their_names(
    instance: dg.DagsterInstance, storage: StorageResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with mock_aws():
        client = boto3.client("s3", "us-east-1")
        client.create_bucket(Bucket="music")
        s3 = S3Resource(region_name="us-east-1")
        daemon = Daemon(instance, inbox_bucket, storage)
        daemon.inbox = InboxResource(folder="", bucket="s3://music/in", s3=s3)
        for key, body in (("in/a.wav", b"a"), ("in/deep/🎸 b.flac", b"b"), ("in/copy of a.wav", b"a")):
            client.put_object(Bucket="music", Key=key, Body=music(body))
        daemon.tick()
        client.put_object(Bucket="music", Key="in/a.wav", Body=music(b"a"))  # written again, the same
        for _ in range(2):
            daemon.tick()
        assert len(daemon.runs) == len(set(daemon.runs)) == 2
        client.put_object(Bucket="music", Key="in/a.wav", Body=music(b"another"))
        daemon.tick()
        assert len(set(daemon.runs)) == 3


def test_no_bucket_is_no_error(instance: dg.DagsterInstance, storage: StorageResource) -> None:
    nothing = InboxResource(folder="", bucket="", s3=S3Resource())
    with dg.build_sensor_context(instance, resources={"storage": storage, "inbox": nothing}) as context:
        result = inbox_bucket(context)
    assert isinstance(result, dg.SkipReason)
