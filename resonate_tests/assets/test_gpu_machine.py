"""The sensor that starts and stops the machine for GPU runs, on runs of a real instance and an EC2 of moto's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from moto import mock_aws

from resonate_assets.gpu_machine import gpu_machine, gpu_need
from resonate_resources.machines.deciding import Need
from resonate_resources.machines.ledger import standing
from resonate_resources.machines.resource import GpuMachineResource
from resonate_resources.storage.heartbeats import alive
from resonate_resources.storage.resource import StorageResource
from resonate_tests.resources.machines.test_tending import pass_by

IMAGE = "ami-12c6146b"
"""One of moto's own."""
REGION = "us-east-1"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "nobody")
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def gpu(ec2: Any) -> GpuMachineResource:
    """A machine that stands still."""
    made = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[made])
    return GpuMachineResource(name=f"ec2:{made}", price=1.0, day_cap=10.0, region=REGION)


def run(instance: dg.DagsterInstance, run_id: str, status: str, queue: str = "gpu") -> dg.DagsterRun:
    where = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("resonate"), "__repository__")
    made = dg.DagsterRun(
        "process_track",
        run_id,
        status=dg.DagsterRunStatus[status],
        tags={"resonate/queue": queue},
        remote_job_origin=RemoteJobOrigin(where, "process_track"),
    )
    return instance.add_run(made)


def tick(instance: dg.DagsterInstance, storage: StorageResource, gpu: GpuMachineResource) -> str:
    with dg.build_sensor_context(instance, resources={"storage": storage, "gpu": gpu}) as context:
        result = gpu_machine(context)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def test_runs_for_the_gpu_that_wait_or_work_are_a_need_and_others_are_none(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    for number, status in enumerate(dg.DagsterRunStatus):
        run(instance, f"gpu-{number}", status.name)
        run(instance, f"cpu-{number}", status.name, queue="cpu")
    assert gpu_need(instance, storage.database) == Need(waiting=2, working=2)


def test_a_run_that_a_worker_has_taken_works_before_it_is_told_as_started(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    run(instance, "taken", "STARTING")
    run(instance, "waits", "STARTING")
    with alive(storage.database, "run", "taken"):
        assert gpu_need(instance, storage.database) == Need(waiting=1, working=1)
    assert gpu_need(instance, storage.database) == Need(waiting=2, working=0)


def test_at_the_cap_of_a_day_a_run_that_a_worker_has_just_taken_keeps_the_machine(
    instance: dg.DagsterInstance, storage: StorageResource, gpu: GpuMachineResource
) -> None:
    machine = gpu.machine()
    assert machine is not None
    run(instance, "one", "STARTING")
    for _ in range(2):
        tick(instance, storage, gpu)
    pass_by(storage.database, 2 * 86_400)  # in which today has a part, but at midnight
    capped = GpuMachineResource(name=gpu.name, price=1.0, day_cap=0.001, region=REGION)
    with alive(storage.database, "run", "one"):
        told = tick(instance, storage, capped)
        assert told == f"{gpu.name}: the cap of 0.001 a day is reached; stopped once its run ends"
        assert machine.state() == "running"
    tick(instance, storage, capped)
    assert machine.state() == "stopped"


def test_a_queued_gpu_run_starts_the_machine_and_its_end_stops_it_ten_minutes_later(
    instance: dg.DagsterInstance, storage: StorageResource, gpu: GpuMachineResource
) -> None:
    machine = gpu.machine()
    assert machine is not None
    run(instance, "other", "QUEUED", queue="cpu")
    tick(instance, storage, gpu)
    assert machine.state() == "stopped"
    queued = run(instance, "one", "QUEUED")
    assert tick(instance, storage, gpu) == f"{gpu.name}: started, as a run needs a GPU"
    assert machine.state() == "running"
    pass_by(storage.database, 3600)
    tick(instance, storage, gpu)
    assert machine.state() == "running"
    instance.report_run_canceled(queued)
    tick(instance, storage, gpu)
    pass_by(storage.database, 601)
    assert tick(instance, storage, gpu) == f"{gpu.name}: stopped after ten idle minutes"
    assert machine.state() == "stopped"


def test_where_no_machine_is_set_nothing_is_asked_or_written(
    instance: dg.DagsterInstance, storage: StorageResource
) -> None:
    run(instance, "one", "QUEUED")
    assert tick(instance, storage, GpuMachineResource()) == "no machine is set (RESONATE_GPU_MACHINE)"
    assert standing(storage.database) == []


def test_the_sensor_is_off_where_no_machine_is_set() -> None:
    assert gpu_machine.default_status == dg.DefaultSensorStatus.STOPPED
