"""Every run shows signs of life, and one that shows none any more is ended by whoever sees it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG, WILL_RETRY_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import (
    consume_new_runs_for_automatic_reexecution,
)

from resonate_assets.jobs import process_track, update_library
from resonate_assets.runs import BEATS, report_dead_runs, retry_what_was_left, tracks_under_way
from resonate_assets.sensors import automation, dead_runs
from resonate_resources.storage import heartbeats
from resonate_resources.storage.database import now, transaction
from resonate_resources.storage.resource import ArtefactIOManager, StorageResource

TRACK = "song-0123456789ab"
STARTED, FAILED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """On disk, where runs have the times at which they started."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as temporary:
        yield temporary


def start(instance: dg.DagsterInstance, run_id: str, tags: dict[str, str] | None = None) -> None:
    run = dg.DagsterRun("process_track", run_id, status=dg.DagsterRunStatus.STARTING, tags=tags or {})
    instance.add_run(run)
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "process_track")
    instance.report_dagster_event(event, run_id, logging.INFO)


def leave_dead(database: str, run_id: str) -> None:
    """A heartbeat as a process leaves it that was killed a minute ago."""
    with transaction(database) as db:
        row = heartbeats._row("run", run_id, TRACK)
        db.execute(sa.insert(heartbeats._heartbeats).values(**row, beat_at=now() - 60.0))


class Looks:
    """A watch whose looks are ten seconds apart."""

    def __init__(self) -> None:
        self.awake = 0.0
        self.watch = heartbeats.Watch(lambda: self.awake)

    def look(self, instance: dg.DagsterInstance, database: str, times: int = 2) -> list[str]:
        told = []
        for _ in range(times):
            told += report_dead_runs(instance, database, self.watch)
            self.awake += 10
        return told


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_beats_while_its_steps_work_and_no_longer(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    seen: list[heartbeats.Heartbeat] = []

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition([TRACK]))
    def stage(storage: StorageResource) -> None:
        seen.extend(heartbeats.heartbeats(storage.database, "run"))

    @dg.asset
    def only_its_results_are_stored() -> None:
        seen.extend(heartbeats.heartbeats(storage.database, "run"))

    kept = {"storage": storage}
    result = dg.materialize([stage], instance=instance, resources=kept, partition_key=TRACK)
    assert {(one.name, one.track) for one in seen} == {(result.run_id, TRACK)}
    assert heartbeats.heartbeats(storage.database, "run") == []

    seen.clear()
    kept_by = {"io_manager": ArtefactIOManager(storage=storage)}
    result = dg.materialize(
        [only_its_results_are_stored], instance=instance, resources=kept_by, raise_on_error=False
    )
    assert {one.name for one in seen} == {result.run_id}


def test_a_run_that_was_killed_is_failed_with_one_line_and_the_living_are_left_alone(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    for run_id in ("dead", "live", "of another kind"):
        start(instance, run_id)
    leave_dead(storage.database, "dead")
    with heartbeats.alive(storage.database, "run", "live"):
        (line,) = Looks().look(instance, storage.database)
    assert line.startswith(f"{TRACK}: ")
    assert "\n" not in line
    assert [status(instance, run_id) for run_id in ("dead", "live", "of another kind")] == [
        FAILED,
        STARTED,
        STARTED,
    ]
    assert Looks().look(instance, storage.database) == []


def test_a_run_that_was_killed_before_its_first_beat_is_failed_after_ten_minutes(
    instance: dg.DagsterInstance, storage: StorageResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(instance, "never", dict(BEATS))
    start(instance, "of another kind")
    looks = Looks()
    assert looks.look(instance, storage.database, times=10) == []
    clock = time.time
    monkeypatch.setattr("resonate_assets.runs.time.time", lambda: clock() + 601)
    assert looks.look(instance, storage.database, times=5) == []  # it may just be ending
    assert len(looks.look(instance, storage.database, times=3)) == 1
    assert [status(instance, run_id) for run_id in ("never", "of another kind")] == [FAILED, STARTED]


def test_runs_by_whatever_launches_them_are_known_to_beat() -> None:
    assert BEATS.items() <= process_track.tags.items()  # type: ignore[union-attr]
    assert BEATS.items() <= update_library.tags.items()  # type: ignore[union-attr]
    assert BEATS.items() <= automation.run_tags.items()


def test_a_run_that_comes_back_to_life_ends_as_what_it_came_to(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    @dg.asset
    def stage(storage: StorageResource) -> None:
        (run,) = instance.get_runs()
        instance.report_run_failed(run, "taken for dead while it stood still")

    result = dg.materialize([stage], instance=instance, resources={"storage": storage})
    assert status(instance, result.run_id) == dg.DagsterRunStatus.SUCCESS


def test_the_daemon_s_sensor_ends_them_too(
    instance: dg.DagsterInstance, storage: StorageResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks()
    monkeypatch.setattr("resonate_assets.sensors._watch", looks.watch)
    start(instance, "dead")
    leave_dead(storage.database, "dead")
    reasons = []
    for _ in range(3):
        with dg.build_sensor_context(instance, resources={"storage": storage}) as context:
            skipped = dead_runs(context)
        assert isinstance(skipped, dg.SkipReason)
        reasons.append(str(skipped.skip_message))
        looks.awake += 15
    assert [TRACK in reason for reason in reasons] == [False, True, False]
    assert status(instance, "dead") == FAILED


def test_a_run_that_was_made_and_never_queued_is_deleted_and_one_that_waits_is_not(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    add(instance, "half made")
    add(instance, "waits")
    queued = dg.DagsterEvent(dg.DagsterEventType.RUN_ENQUEUED.value, "process_track")
    instance.report_dagster_event(queued, "waits", logging.INFO)
    looks = Looks()
    assert looks.look(instance, storage.database, times=6) == []
    (line,) = looks.look(instance, storage.database)
    assert "made and never queued" in line
    assert instance.get_run_by_id("half made") is None
    assert status(instance, "waits") == dg.DagsterRunStatus.QUEUED


def test_tracks_are_under_way_until_their_runs_have_ended(instance: dg.DagsterInstance) -> None:
    start(instance, "r1", {"dagster/partition": TRACK})
    start(instance, "r2", {"dagster/partition": "other-0123456789ab"})
    run = instance.get_run_by_id("r2")
    assert run is not None
    instance.report_run_failed(run, "killed")
    assert tracks_under_way(instance) == tracks_under_way(instance, "process_track") == {TRACK}
    assert tracks_under_way(instance, "another_job") == set()


@pytest.fixture
def retrying(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Of which a run `left` has failed."""
    retries = {"run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=retries) as instance:
        fail(instance, "left")
        yield instance


def fail(
    instance: dg.DagsterInstance,
    run_id: str,
    parent: str | None = None,
    reason: RunFailureReason = RunFailureReason.RUN_EXCEPTION,
    tags: dict[str, str] | None = None,
) -> None:
    add(instance, run_id, parent, tags)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run, job_failure_data=JobFailureData(None, reason))


def add(
    instance: dg.DagsterInstance, run_id: str, parent: str | None = None, tags: dict[str, str] | None = None
) -> None:
    code = GrpcServerCodeLocationOrigin("127.0.0.1", port=1, location_name="resonate")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(code, "__repository__"), "process_track")
    of = {"parent_run_id": parent, "root_run_id": "left"} if parent else {}
    group = {PARENT_RUN_ID_TAG: parent, ROOT_RUN_ID_TAG: "left"} if parent else {}
    run = dg.DagsterRun(
        "process_track", run_id, remote_job_origin=origin, tags={**group, **(tags or {})}, **of
    )
    instance.add_run(run)


def dagster_looks(instance: dg.DagsterInstance, run_id: str) -> None:
    """Where the code can't be loaded at that moment."""
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as nothing_loaded:
        records = instance.get_run_records(dg.RunsFilter([run_id]))
        list(consume_new_runs_for_automatic_reexecution(nothing_loaded, records, logging.getLogger()))


def will_be_retried(instance: dg.DagsterInstance, run_id: str) -> str:
    return instance.get_run_records(dg.RunsFilter([run_id]))[0].dagster_run.tags[WILL_RETRY_TAG]


class Retries:
    """Looks for what was left, ten seconds apart."""

    def __init__(self) -> None:
        self.awake = 0.0
        self.watch = heartbeats.Watch(lambda: self.awake)

    def look(self, instance: dg.DagsterInstance, seconds: int) -> list[str]:
        told = []
        for _ in range(0, seconds, 10):
            told += retry_what_was_left(instance, self.watch)
            self.awake += 10
        return told


RETRIED = "process_track: is retried after all"


def test_a_run_that_could_not_be_retried_is_reported_again_until_it_can_be(
    retrying: dg.DagsterInstance,
) -> None:
    retries = Retries()
    assert retries.look(retrying, 60) == []  # Dagster may yet look at it
    for _ in range(2):
        dagster_looks(retrying, "left")
        assert will_be_retried(retrying, "left") == "false"
        assert retries.look(retrying, 70) == [RETRIED]
        assert will_be_retried(retrying, "left") == "true"


def test_a_run_is_retried_of_which_dagster_could_not_even_write_that_it_was_not(
    retrying: dg.DagsterInstance,
) -> None:
    """As where the database's disk is full: the daemon has gone on to what comes after it, and the tag says still
    that the run is going to be retried."""
    assert will_be_retried(retrying, "left") == "true"
    assert Retries().look(retrying, 70) == [RETRIED]


def test_a_retry_that_was_made_and_not_submitted_is_left_and_one_that_was_is_not(
    retrying: dg.DagsterInstance,
) -> None:
    add(retrying, "retry", "left")
    assert Retries().look(retrying, 70) == [RETRIED]
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_ENQUEUED.value, "process_track")
    retrying.report_dagster_event(event, "retry", logging.INFO)
    assert Retries().look(retrying, 70) == []


def test_runs_are_retried_as_often_as_is_set_and_those_of_which_a_stage_failed_not_at_all(
    retrying: dg.DagsterInstance,
) -> None:
    fail(retrying, "first", "left")
    fail(retrying, "of a stage", reason=RunFailureReason.STEP_FAILURE)
    assert Retries().look(retrying, 70) == [RETRIED]
    fail(retrying, "second", "first")
    assert Retries().look(retrying, 70) == []


def test_a_run_that_can_never_be_retried_is_reported_again_five_times(retrying: dg.DagsterInstance) -> None:
    assert Retries().look(retrying, 3600) == [RETRIED] * 5
