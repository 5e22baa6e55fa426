"""The machine for GPU runs: started by the first run that needs it, stopped after ten idle minutes."""

import os

import dagster as dg

from resonate_resources.machines.deciding import Need
from resonate_resources.machines.resource import GpuMachineResource
from resonate_resources.machines.tending import tend
from resonate_resources.storage.heartbeats import DEAD_AFTER_SECONDS, heartbeats
from resonate_resources.storage.resource import StorageResource

_GPU_RUNS = {"resonate/queue": "gpu"}
"""Tags of runs that need a GPU."""
_WITH_WORKERS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""A run that was handed to workers is "starting" until one has begun it."""


def gpu_need(instance: dg.DagsterInstance, database: str) -> Need:
    """Runs with the tag for GPU work that wait, and those in progress: from when a worker takes them, as their
    heartbeats tell."""
    taken = {one.name for one in heartbeats(database, "run") if one.age <= DEAD_AFTER_SECONDS}
    queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED], tags=_GPU_RUNS))
    runs = instance.get_runs(dg.RunsFilter(statuses=_WITH_WORKERS, tags=_GPU_RUNS))
    working = sum(run.status != dg.DagsterRunStatus.STARTING or run.run_id in taken for run in runs)
    return Need(queued + len(runs) - working, working)


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=(
        dg.DefaultSensorStatus.RUNNING
        if os.environ.get("RESONATE_GPU_MACHINE")
        else dg.DefaultSensorStatus.STOPPED
    ),
    description="Starts and stops the machine for GPU runs. Off, unless RESONATE_GPU_MACHINE names one.",
)
def gpu_machine(
    context: dg.SensorEvaluationContext, storage: StorageResource, gpu: GpuMachineResource
) -> dg.SkipReason:
    """See resonate_resources.machines.deciding. What was decided, and what it cost, stands in the database."""
    machine = gpu.machine()
    if machine is None:
        return dg.SkipReason("no machine is set (RESONATE_GPU_MACHINE)")
    told = tend(storage.database, machine, lambda: gpu_need(context.instance, storage.database), gpu.day_cap)
    if told.new_trouble:
        context.log.warning(told.line)
    return dg.SkipReason(told.line)
