"""The reconcile: what the automation missed is asked for, once for each state, and in turn."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from resonate_assets import sensors
from resonate_assets.partitions import tracks
from resonate_assets.sensors import reconcile_sensor
from resonate_resources.recipe import Engine
from resonate_resources.storage.current import rebuild, record
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.resource import S3Resource, StorageResource
from resonate_resources.storage.sources import Rejection

SONG, OTHER = "song-0123456789ab", "other-ba9876543210"


@dg.asset(partitions_def=tracks, code_version="1")
def raw_track() -> None: ...


@dg.asset(partitions_def=tracks, code_version="3", deps=[raw_track])
def stems() -> None: ...


@pytest.fixture
def storage(storage: StorageResource) -> StorageResource:
    rebuild(storage.database, storage.store)
    return storage


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as temporary:
        yield temporary


def publish(
    storage: StorageResource,
    stage: str,
    version: str,
    *,
    track: str = SONG,
    code: str = "1",
    **made_from: str,
) -> None:
    made = Manifest(
        stage=stage,
        track=track,
        key=version,
        attempt="a1",
        data_version=version,
        recipe={},
        code_version=code,
        inputs={},
        engine=Engine("none"),
        files={},
        measures={},
        notes=(),
        seconds=0.0,
        made_from=made_from,
    )
    record(storage.database, made)


def tick(
    instance: dg.DagsterInstance, storage: StorageResource, cursor: str | None = None
) -> dg.SensorResult:
    with dg.build_sensor_context(instance, cursor=cursor, resources={"storage": storage}) as context:
        result = reconcile_sensor([raw_track, stems])(context)
    assert isinstance(result, dg.SensorResult)
    return result


def asked(result: dg.SensorResult) -> list[str]:
    return [str(request.partition_key) for request in result.run_requests or []]


def test_a_stage_made_from_an_earlier_input_is_asked_for_without_any_event(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    """As after an update that landed in the tick in which `since_last_handled` was reset: no condition is true."""
    publish(storage, "raw_track", "r1", source="s")
    publish(storage, "stems", "s1", code="3", raw_track="r1")
    assert asked(tick(instance, storage)) == []
    publish(storage, "raw_track", "r2", source="s")
    assert asked(tick(instance, storage)) == [SONG]
    publish(storage, "stems", "s2", code="3", raw_track="r2")
    assert asked(tick(instance, storage)) == []


@pytest.mark.parametrize("code", ["2", None])
def test_a_stage_of_other_code_or_one_that_is_missing_is_asked_for(
    instance: dg.DagsterInstance, storage: StorageResource, code: str | None
) -> None:
    publish(storage, "raw_track", "r1", source="s")
    if code is not None:
        publish(storage, "stems", "s1", code=code, raw_track="r1")
    assert asked(tick(instance, storage)) == [SONG]


def test_a_state_is_asked_for_under_one_run_key_and_the_next_state_under_another(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    publish(storage, "raw_track", "r1")
    [first], [again] = tick(instance, storage).run_requests or [], tick(instance, storage).run_requests or []
    publish(storage, "raw_track", "r2")
    [other] = tick(instance, storage).run_requests or []
    assert first.run_key == again.run_key != other.run_key


def test_what_is_rejected_or_under_way_is_left_alone(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    publish(storage, "raw_track", "r1")
    publish(storage, "raw_track", "r1", track=OTHER)
    storage.sources.reject(Rejection("/music/bad.wav", "bad.wav: is cut off", SONG))
    assert asked(tick(instance, storage)) == [OTHER]
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
        run = dg.DagsterRun(job_name="any", status=status, tags={"dagster/partition": OTHER})
        instance.add_run(run)
        assert asked(tick(instance, storage)) == []
        instance.delete_run(run.run_id)


@pytest.mark.parametrize(("a_look", "asked_a_look"), [(100, 2), (2, 100)])
def test_so_many_are_looked_at_and_asked_for_at_a_time_and_all_have_their_turn(
    instance: dg.DagsterInstance,
    storage: StorageResource,
    monkeypatch: pytest.MonkeyPatch,
    a_look: int,
    asked_a_look: int,
) -> None:
    monkeypatch.setattr(sensors, "_A_LOOK", a_look)
    monkeypatch.setattr(sensors, "_ASKED_A_LOOK", asked_a_look)
    names = [f"song-{number:012d}" for number in range(5)]
    for name in names:
        publish(storage, "raw_track", "r1", track=name)
    turns, cursor = [], None
    for _ in range(4):
        result = tick(instance, storage, cursor)
        cursor = result.cursor
        turns.append(asked(result))
    assert turns == [names[:2], names[2:4], names[4:], names[:2]]


def test_an_index_that_was_never_made_makes_nothing_stale(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    database = storage.database.replace("resonate.sqlite", "another.sqlite")
    fresh = StorageResource(root=storage.root, s3=S3Resource(), cache=storage.cache, database=database)
    publish(fresh, "raw_track", "r1")
    result = tick(instance, fresh)
    assert asked(result) == []
    assert "has not been made yet" in str(result.skip_reason and result.skip_reason.skip_message)


def test_the_reconcile_is_on_and_comes_to_every_one_of_100_000_tracks_within_the_hour() -> None:
    sensor = reconcile_sensor([raw_track, stems])
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert (sensor.minimum_interval_seconds or 0) * 100_000 / sensors._A_LOOK <= 3600
