"""The nightly schedule: a net under the sensors, in which nothing is caught twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from resonate_assets import schedules
from resonate_assets.partitions import tracks
from resonate_assets.schedules import nightly_ingest
from resonate_resources.ingestion.resource import InboxResource
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.current import record
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.retries import Tries, note_tries, tries_of_tracks
from resonate_resources.storage.sources import Rejection
from resonate_resources.storage.store import new_directory
from resonate_tests.tiny_music import music

NAME = str(tracks.name)
LOST, MADE, REJECTED = "lost-0123456789ab", "made-0123456789ab", "rejected-0123456789ab"
pytestmark = pytest.mark.usefixtures("files_lie_still")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """On disk: the context of a schedule opens it a second time."""
    with dg.instance_for_test() as temporary:
        yield temporary


def night(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox, day: int = 1
) -> list[dg.RunRequest]:
    watched = InboxResource(folder=str(inbox.folder), bucket="", s3=S3Resource())
    at = datetime(2026, 11, day, 2, tzinfo=UTC)
    resources = {"storage": storage, "inbox": watched}
    with dg.build_schedule_context(instance, at, resources=resources) as context:
        requests = nightly_ingest(context)
    assert isinstance(requests, list)
    return requests


def make(storage: StorageResource, stage: str, track: str) -> None:
    with new_directory(storage.store, stage) as into:
        (into / "track.wav").write_bytes(b"sound")
        made = storage.artefacts.keep(
            Product({"track.wav": into / "track.wav"}),
            stage=stage,
            track=track,
            recipe=Recipe(Engine("decoder")),
            reads=[],
            seconds=0.0,
        )
    storage.artefacts.publish(made)
    record(storage.database, made.manifest)


def test_files_that_no_sensor_took_are_registered_and_asked_for(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    for name in ("a.wav", "b.wav"):
        (inbox.folder / name).write_bytes(music(name.encode()))
    asked = [request.partition_key for request in night(instance, storage, inbox)]
    assert sorted(map(str, asked)) == sorted(instance.get_dynamic_partitions(NAME))
    assert len(asked) == 2


def test_a_track_that_was_lost_is_asked_for_again_with_growing_pauses_under_a_new_run_key(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    nights = {day: night(instance, storage, inbox, day) for day in range(1, 30)}
    asked = {day: requests for day, requests in nights.items() if requests}
    assert list(asked) == [1, 2, 4, 8, 16]
    assert {request.partition_key for requests in asked.values() for request in requests} == {LOST}
    assert len({requests[0].run_key for requests in asked.values()}) == 5


def test_a_tick_that_is_evaluated_once_more_asks_for_the_same_run(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    first, second = (night(instance, storage, inbox, 1) for _ in range(2))
    assert first[0].run_key == second[0].run_key
    assert night(instance, storage, inbox, 2) != []  # and it was no second try


def test_a_hopeless_track_is_told_once_and_a_new_version_of_a_stage_gives_it_another_chance(
    instance: dg.DagsterInstance,
    storage: StorageResource,
    inbox: FolderInbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    before = datetime(2026, 9, 1, 2, tzinfo=UTC).timestamp()
    note_tries(storage.database, {LOST: Tries(5, before, schedules.code_of_stages())})
    told = []
    monkeypatch.setattr(schedules, "_farewell", lambda *_: told.append(LOST) or "given up")
    assert night(instance, storage, inbox, 1) == night(instance, storage, inbox, 2) == []
    assert told == [LOST]
    monkeypatch.setattr(schedules, "code_of_stages", lambda: "another")
    assert [request.partition_key for request in night(instance, storage, inbox, 3)] == [LOST]


def test_a_track_that_is_made_at_last_is_forgotten(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    night(instance, storage, inbox, 1)
    assert tries_of_tracks(storage.database).keys() == {LOST}
    make(storage, "exports", LOST)
    night(instance, storage, inbox, 2)
    assert tries_of_tracks(storage.database) == {}


def test_what_is_made_or_rejected_is_left_alone(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    instance.add_dynamic_partitions(NAME, [MADE, REJECTED])
    make(storage, "exports", MADE)
    storage.sources.reject(Rejection("/music/bad.wav", "bad.wav: is cut off", REJECTED))
    assert night(instance, storage, inbox) == []


def test_a_track_that_stopped_half_way_is_asked_for_again(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    make(storage, "raw_track", LOST)
    assert [request.partition_key for request in night(instance, storage, inbox)] == [LOST]


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, []),
        (dg.DagsterRunStatus.STARTED, []),
        (dg.DagsterRunStatus.FAILURE, [LOST]),
        (dg.DagsterRunStatus.CANCELED, [LOST]),
    ],
)
def test_a_track_whose_run_waits_or_works_is_not_asked_for_a_second_time(
    instance: dg.DagsterInstance,
    storage: StorageResource,
    inbox: FolderInbox,
    status: dg.DagsterRunStatus,
    asked: list[str],
) -> None:
    instance.add_dynamic_partitions(NAME, [LOST])
    run = dg.DagsterRun(
        job_name="process_track", run_id="r1", status=status, tags={"dagster/partition": LOST}
    )
    instance.add_run(run)
    assert [request.partition_key for request in night(instance, storage, inbox)] == asked


def test_the_night_does_not_ask_for_what_the_sensor_just_took_in_and_nothing_twice(
    instance: dg.DagsterInstance, storage: StorageResource, inbox: FolderInbox
) -> None:
    path = Path(inbox.folder, "song.wav")
    path.write_bytes(music())
    [request] = night(instance, storage, inbox)
    make(storage, "exports", str(request.partition_key))
    path.rename(inbox.folder / "renamed.wav")
    assert night(instance, storage, inbox, 2) == []
    assert len(instance.get_dynamic_partitions(NAME)) == 1
